using System.Collections.Frozen;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace ResilientHost.Fallbacks;

/// <summary>Which responses may be kept for other callers, and which of their headers.</summary>
internal static class StaleHeaders
{
    /// <summary>More names than this in <c>Vary</c>: every caller gets an own answer, and keeping one helps nobody else.</summary>
    public const int MaxVaryNames = 16;

    // Of one connection, one message or one request: repeated later they would be wrong. The lifetime and the length are set anew.
    private static readonly FrozenSet<string> NotKept = new[]
    {
        HeaderNames.Connection, HeaderNames.KeepAlive, HeaderNames.ProxyConnection, HeaderNames.ProxyAuthenticate, "Proxy-Authentication-Info", HeaderNames.TE, HeaderNames.Trailer,
        HeaderNames.TransferEncoding, HeaderNames.Upgrade, HeaderNames.AltSvc, HeaderNames.Date, HeaderNames.Server, HeaderNames.Age, HeaderNames.Expires, HeaderNames.CacheControl,
        HeaderNames.Pragma, HeaderNames.ContentLength, HeaderNames.SetCookie, "Set-Cookie2", "Authentication-Info", HeaderNames.WWWAuthenticate, HeaderNames.RetryAfter, FallbackMark.HeaderName,
        "X-Request-ID", HeaderNames.RequestId, HeaderNames.CorrelationContext, "X-Correlation-ID", "Request-Context", HeaderNames.TraceParent, HeaderNames.TraceState, HeaderNames.Baggage,
        "traceresponse", "Server-Timing",
    }.ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    /// <summary>Whether a header is kept, and set on a stale answer.</summary>
    public static bool IsKept(string name) => !NotKept.Contains(name);

    /// <summary>Whether the headers forbid that the response is given to anyone else.</summary>
    public static bool ForbidKeeping(IHeaderDictionary headers) =>
        headers.SetCookie.Count != 0
        || Lists(headers.CacheControl, "no-store")
        || Lists(headers.CacheControl, "private");

    /// <summary>Whether the body is something else than one whole, plain answer.</summary>
    public static bool DescribePart(IHeaderDictionary headers) =>
        headers.ContentEncoding.Count != 0
        || headers.ContentRange.Count != 0
        || headers.ContentType.ToString().StartsWith("text/event-stream", StringComparison.OrdinalIgnoreCase);

    /// <summary>Adds the names that <c>Vary</c> lists, in lower case; <see langword="false"/> where it says that no two requests are alike, or lists too many.</summary>
    public static bool TryAddVary(StringValues vary, SortedSet<string> names, Func<string, bool>? isLeftOut = null)
    {
        foreach (var line in vary)
        {
            foreach (var part in line.AsSpan().Split(','))
            {
                var name = line.AsSpan()[part].Trim();
                if (name is "*")
                {
                    return false;
                }

                if (!name.IsEmpty && name.ToString().ToLowerInvariant() is var text && isLeftOut?.Invoke(text) is not true)
                {
                    names.Add(text);
                }
            }
        }

        return names.Count <= MaxVaryNames;
    }

    /// <summary>What the middleware around has to say and what the endpoint said, once each.</summary>
    public static StringValues Merge(StringValues outer, StringValues kept)
    {
        if (outer.Count == 0)
        {
            return kept;
        }

        var names = new List<string>();
        foreach (var line in StringValues.Concat(outer, kept))
        {
            foreach (var name in (line ?? "").Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
            {
                if (!names.Contains(name, StringComparer.OrdinalIgnoreCase))
                {
                    names.Add(name);
                }
            }
        }

        return string.Join(", ", names);
    }

    private static bool Lists(StringValues list, string directive)
    {
        foreach (var line in list)
        {
            foreach (var part in line.AsSpan().Split(','))
            {
                // "private" may have an argument, of which only the name matters: we keep whole responses or none.
                var text = line.AsSpan()[part];
                var end = text.IndexOf('=');
                if ((end < 0 ? text : text[..end]).Trim(" \t\"").Equals(directive, StringComparison.OrdinalIgnoreCase))
                {
                    return true;
                }
            }
        }

        return false;
    }
}
