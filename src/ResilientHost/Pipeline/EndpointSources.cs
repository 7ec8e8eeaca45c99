using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace ResilientHost.Pipeline;

/// <summary>Every endpoint of the app, built once for the layers and for routing.</summary>
/// <remarks>
/// A source that is asked for its endpoints builds them anew, and compiles every route handler for it: with a thousand of them that is most of a start.
/// Routing asks its builder's sources at the first request, the layers at the start, so one composite that remembers the answer stands in for
/// those sources. It is put there while the pipeline is built: all endpoints are mapped then, and routing has not yet looked.
/// Where a branch has sources of its own, both ask for themselves.
/// </remarks>
internal sealed class EndpointSources(IServiceProvider services)
{
    private IEndpointRouteBuilder? _routes;

    // Never disposed, as it would dispose the sources, which the services' own composite does.
    private EndpointDataSource? _shared;
    private EndpointDataSource[] _sources = [];
    private Known? _known;

    /// <summary>All endpoints; none where routing is not registered (a plain generic host). The same list until they change.</summary>
    public IReadOnlyList<Endpoint> All => (Shared() ?? Root)?.Endpoints ?? [];

    /// <summary>The key of each of <see cref="All"/>.</summary>
    public IReadOnlyDictionary<Endpoint, string> Keys
    {
        get
        {
            var (all, known) = (All, _known);
            if (known is null || !ReferenceEquals(known.Endpoints, all))
            {
                _known = known = new Known(all, EndpointKey.Assign(all));
            }

            return known.Keys;
        }
    }

    private EndpointDataSource? Root => services.GetService(typeof(EndpointDataSource)) as EndpointDataSource;

    /// <summary>Where the application maps its endpoints. Of several builders the first counts.</summary>
    public void MappedBy(IEndpointRouteBuilder? routes) => _routes ??= routes;

    /// <summary>Hands routing the endpoints that the layers have seen.</summary>
    public void Share()
    {
        if (Shared() is { } shared && _routes is { } routes && !routes.DataSources.Contains(shared))
        {
            routes.DataSources.Clear();
            routes.DataSources.Add(shared);
        }
    }

    // Compared each time: sources may still join the services' list, and those are not routing's.
    private EndpointDataSource? Shared()
    {
        if (_routes is null || Root is not CompositeEndpointDataSource root)
        {
            return null;
        }

        if (_shared is null && root.DataSources.Any() && root.DataSources.SequenceEqual(_routes.DataSources))
        {
            _sources = [.. root.DataSources];
            _shared = new CompositeEndpointDataSource(_sources);
        }

        return root.DataSources.SequenceEqual(_sources) ? _shared : null;
    }

    private sealed record Known(IReadOnlyList<Endpoint> Endpoints, IReadOnlyDictionary<Endpoint, string> Keys);
}
