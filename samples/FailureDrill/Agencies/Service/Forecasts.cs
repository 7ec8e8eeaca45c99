using Microsoft.Extensions.Caching.Hybrid;
using Microsoft.Extensions.Caching.Memory;

namespace FailureDrill.Agencies.Service;

/// <summary>Forecasts of a slow archive, each kept for a while.</summary>
internal abstract class Forecasts(IHttpClientFactory clients)
{
    /// <summary>The client that asks it.</summary>
    public const string Archive = "archive";

    public abstract ValueTask<string> ReadAsync(string city, CancellationToken cancellationToken);

    protected Task<string> AskAsync(string city, CancellationToken cancellationToken) =>
        clients.CreateClient(Archive).GetStringAsync($"/weather/{city}", cancellationToken);
}

/// <summary>Keeps them in the suite's cache; for how long, its settings say.</summary>
internal sealed class GuardedForecasts(HybridCache cache, IHttpClientFactory clients) : Forecasts(clients)
{
    public override ValueTask<string> ReadAsync(string city, CancellationToken cancellationToken) =>
        cache.GetOrCreateAsync($"weather:{city}", async token => await AskAsync(city, token), cancellationToken: cancellationToken);
}

/// <summary>Keeps them as one does without: in a cache that whoever finds nothing in it fills.</summary>
internal sealed class PlainForecasts(IMemoryCache cache, IHttpClientFactory clients) : Forecasts(clients)
{
    private static readonly TimeSpan Expiration = TimeSpan.FromMilliseconds(400);

    public override async ValueTask<string> ReadAsync(string city, CancellationToken cancellationToken)
    {
        var forecast = await cache.GetOrCreateAsync($"weather:{city}", entry =>
        {
            entry.AbsoluteExpirationRelativeToNow = Expiration;
            return AskAsync(city, cancellationToken);
        });
        return forecast!;
    }
}
