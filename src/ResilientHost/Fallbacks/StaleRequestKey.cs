using System.Buffers;
using System.Globalization;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Primitives;
using ResilientHost.Hosting;

namespace ResilientHost.Fallbacks;

/// <summary>Which requests to an endpoint may get the same answer.</summary>
/// <remarks>
/// Immutable and thread-safe. The text is printable, and two requests that differ in any part have different texts: every section stands in its place, every name and value is
/// escaped. The hash is for refreshing only, where a collision delays a copy; it allocates nothing unless the name of a query key is percent-encoded.
/// </remarks>
internal sealed class StaleRequestKey
{
    public const int MaxQueryKeys = 32;
    private const string Version = "1";
    private const int UsualLength = 256;
    private const int MaxPlaceLength = 512;

    // What is printable, without what separates and what escapes.
    private static readonly SearchValues<char> Plain = SearchValues.Create([.. Enumerable.Range('!', '~' - '!' + 1).Select(static c => (char)c).Except(['%', '|', '&', '='])]);

    private readonly string _endpoint;
    private readonly string[]? _queryKeys;
    private readonly string[] _headers;

    // Most requests to an endpoint come to the same host: what it makes of the text and of the hash is made once.
    private volatile Place? _place;

    /// <param name="endpointKey">The endpoint's name.</param>
    /// <param name="queryKeys">The query keys that count; null: the whole query.</param>
    /// <param name="headers">Request headers that count, whatever <c>Vary</c> says.</param>
    public StaleRequestKey(string endpointKey, IReadOnlyList<string>? queryKeys, IReadOnlyList<string> headers)
    {
        _endpoint = endpointKey;
        _queryKeys = queryKeys is null ? null : [.. queryKeys.Select(static key => key.ToLowerInvariant()).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
        _headers = [.. headers.Select(static name => name.ToLowerInvariant()).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
    }

    /// <summary>A hash of all parts.</summary>
    public uint Hash(HttpContext context, string[] vary)
    {
        var request = context.Request;
        var hash = PlaceOf(request) is { } place ? place.Hash : HashOf(request.Scheme, request.Headers.Host.ToString(), request.PathBase.Value);
        if (RouteValues(context) is { } values)
        {
            var sum = 0;
            foreach (var (name, value) in values)
            {
                sum += HashCode.Combine(StringComparer.OrdinalIgnoreCase.GetHashCode(name), value);
            }

            hash.Add(sum);
        }

        hash.Add(HashQuery(request.QueryString.Value));
        Add(ref hash, request.Headers, _headers);
        Add(ref hash, request.Headers, vary);
        return (uint)hash.ToHashCode();
    }

    /// <summary>The text of all parts but <c>Vary</c>. Allocates nothing else where the query is empty and the route has no values.</summary>
    public string Text(HttpContext context)
    {
        var request = context.Request;
        var place = PlaceOf(request) ?? Remember(request);
        var (values, query) = (RouteValues(context), request.QueryString.Value);
        if (values is not { Count: > 0 } && string.IsNullOrEmpty(query) && _headers.Length == 0)
        {
            return place.Whole;
        }

        var text = Begin(stackalloc char[UsualLength]);
        text.AppendLiteral(place.Text);
        Append(ref text, values, query, request.Headers);
        return text.ToStringAndClear();
    }

    /// <summary>The text of all parts.</summary>
    /// <param name="text">The text without <c>Vary</c>.</param>
    /// <param name="request">The request.</param>
    /// <param name="vary">Names of headers, lower case and in order.</param>
    public static string WithVary(string text, HttpRequest request, IEnumerable<string> vary)
    {
        var whole = Begin(stackalloc char[UsualLength]);
        whole.AppendLiteral(text);
        whole.AppendLiteral("|");
        AppendHeaders(ref whole, request.Headers, vary, namesAbsent: true);
        return whole.ToStringAndClear();
    }

    private static HashCode HashOf(string scheme, string host, string? pathBase)
    {
        var hash = default(HashCode);
        hash.Add(scheme, StringComparer.OrdinalIgnoreCase);
        hash.Add(host, StringComparer.OrdinalIgnoreCase);
        hash.Add(pathBase, StringComparer.Ordinal);
        return hash;
    }

    // What callers choose is kept only while it is short, and one of it.
    private Place Remember(HttpRequest request)
    {
        var (scheme, host, pathBase) = (request.Scheme, request.Headers.Host.ToString(), request.PathBase.Value);
        var text = Begin(stackalloc char[UsualLength]);
        text.AppendLiteral(Version);
        Escape(ref text, "|", scheme.ToLowerInvariant());
        Escape(ref text, "|", host.ToLowerInvariant());
        Escape(ref text, "|", pathBase);
        Escape(ref text, "|", _endpoint);
        var start = text.ToStringAndClear();

        // With headers the text is another one for each request, and theirs are not to be kept.
        var place = new Place(scheme, host, pathBase, HashOf(scheme, host, pathBase), start, _headers.Length == 0 ? Whole(start, request) : start);
        if (start.Length <= MaxPlaceLength)
        {
            _place = place;
        }

        return place;
    }

    private string Whole(string start, HttpRequest request)
    {
        var whole = Begin(stackalloc char[UsualLength]);
        whole.AppendLiteral(start);
        Append(ref whole, values: null, query: null, request.Headers);
        return whole.ToStringAndClear();
    }

    private Place? PlaceOf(HttpRequest request) =>
        _place is { } place && place.Host == request.Headers.Host.ToString() && place.Scheme == request.Scheme && place.PathBase == request.PathBase.Value ? place : null;

    private void Append(ref DefaultInterpolatedStringHandler text, RouteValueDictionary? values, string? query, IHeaderDictionary headers)
    {
        text.AppendLiteral("|");
        AppendRoute(ref text, values);
        text.AppendLiteral("|");
        AppendQuery(ref text, query);
        text.AppendLiteral("|");
        AppendHeaders(ref text, headers, _headers);
    }

    // On the stack, or in a pooled array where that is too short.
    private static DefaultInterpolatedStringHandler Begin(Span<char> buffer) => new(0, 0, CultureInfo.InvariantCulture, buffer);

    private static RouteValueDictionary? RouteValues(HttpContext context) => context.Features.Find<IRouteValuesFeature>()?.RouteValues;

    private static void Add(ref HashCode hash, IHeaderDictionary headers, string[] names)
    {
        foreach (var name in names)
        {
            var values = headers[name];
            hash.Add(values.Count);
            foreach (var value in values)
            {
                hash.Add(value, StringComparer.Ordinal);
            }
        }
    }

    private int HashQuery(string? query)
    {
        if (string.IsNullOrEmpty(query))
        {
            return 0;
        }

        var sum = 0;
        foreach (var pair in new QueryStringEnumerable(query))
        {
            var name = pair.DecodeName().Span;
            if (_queryKeys is null || IndexOf(name) >= 0)
            {
                sum += HashCode.Combine(string.GetHashCode(name, StringComparison.OrdinalIgnoreCase), string.GetHashCode(pair.EncodedValue.Span, StringComparison.Ordinal));
            }
        }

        return sum;
    }

    private int IndexOf(ReadOnlySpan<char> name)
    {
        for (var i = 0; i < _queryKeys!.Length; i++)
        {
            if (name.Equals(_queryKeys[i], StringComparison.OrdinalIgnoreCase))
            {
                return i;
            }
        }

        return -1;
    }

    // Routing compares names without case, handlers may tell values by it.
    private static void AppendRoute(ref DefaultInterpolatedStringHandler text, RouteValueDictionary? values)
    {
        if (values is not { Count: > 0 })
        {
            return;
        }

        foreach (var (name, value) in values.Select(static pair => (Name: pair.Key.ToLowerInvariant(), pair.Value)).OrderBy(static pair => pair.Name, StringComparer.Ordinal))
        {
            if (value is not null)
            {
                Escape(ref text, "", name);
                Escape(ref text, "=", Convert.ToString(value, CultureInfo.InvariantCulture));
                text.AppendLiteral("&");
            }
        }
    }

    private void AppendQuery(ref DefaultInterpolatedStringHandler text, string? query)
    {
        text.AppendLiteral(_queryKeys is null ? "*" : "+");
        if (string.IsNullOrEmpty(query))
        {
            return;
        }

        var pairs = new List<(string Name, string Value)>();
        foreach (var pair in new QueryStringEnumerable(query))
        {
            var name = pair.DecodeName();
            var index = _queryKeys is null ? -1 : IndexOf(name.Span);
            if (_queryKeys is null || index >= 0)
            {
                pairs.Add((index < 0 ? name.ToString() : _queryKeys![index], pair.DecodeValue().ToString()));
            }
        }

        // Stable: the order of keys means nothing, that of one key's values does, in whatever case the key is spelled each time.
        foreach (var (name, value) in pairs.OrderBy(static pair => pair.Name, StringComparer.OrdinalIgnoreCase))
        {
            Escape(ref text, "", name);
            Escape(ref text, "=", value);
            text.AppendLiteral("&");
        }
    }

    private static void AppendHeaders(ref DefaultInterpolatedStringHandler text, IHeaderDictionary headers, IEnumerable<string> names, bool namesAbsent = false)
    {
        foreach (var name in names)
        {
            var values = headers[name];
            if (values.Count == 0 && !namesAbsent)
            {
                continue;
            }

            Escape(ref text, "", name);
            foreach (var value in values)
            {
                Escape(ref text, "=", value);
            }

            text.AppendLiteral("&");
        }
    }

    private static void Escape(ref DefaultInterpolatedStringHandler text, string before, ReadOnlySpan<char> part)
    {
        text.AppendLiteral(before);
        while (part.IndexOfAnyExcept(Plain) is >= 0 and var special)
        {
            text.AppendFormatted(part[..special]);

            // By UTF-16 unit: half a surrogate pair must not turn into what another text turns into.
            text.AppendLiteral("%");
            text.AppendFormatted((int)part[special], "X4");
            part = part[(special + 1)..];
        }

        text.AppendFormatted(part);
    }

    /// <summary>Where requests come to. Immutable.</summary>
    /// <param name="scheme">As the request has it.</param>
    /// <param name="host">As the request has it.</param>
    /// <param name="pathBase">As the request has it.</param>
    /// <param name="hash">Of these, for more to be added to a copy of it.</param>
    /// <param name="text">How the text of each request begins that comes here.</param>
    /// <param name="whole">The text of one that has nothing else, where no headers count.</param>
    private sealed class Place(string scheme, string host, string? pathBase, HashCode hash, string text, string whole)
    {
        public string Scheme => scheme;

        public string Host => host;

        public string? PathBase => pathBase;

        public HashCode Hash => hash;

        public string Text => text;

        public string Whole => whole;
    }
}
