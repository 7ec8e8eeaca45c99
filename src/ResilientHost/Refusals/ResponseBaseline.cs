using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;
using ResilientHost.Hosting;

namespace ResilientHost.Refusals;

/// <summary>
/// The response as outer middleware had left it before the endpoint ran, so that a problem can be written as if the endpoint
/// had never touched it: headers it set are gone, headers it overwrote have their old values again.
/// </summary>
/// <remarks>Reusable and not thread-safe: one request at a time. Capturing a response without headers costs one property read.</remarks>
internal sealed class ResponseBaseline
{
    private readonly bool _isShared;
    private readonly bool _isOutermost;
    private KeyValuePair<string, StringValues>[] _headers = [];
    private int _count;

    public ResponseBaseline()
    {
    }

    private ResponseBaseline(bool isOutermost) => (_isShared, _isOutermost) = (true, isOutermost);

    /// <summary>
    /// For the outermost catch, which ran before any header was set: keeps what browsers need to read the answer at all
    /// (<c>Access-Control-*</c>, <c>Vary: Origin</c>) and <c>Strict-Transport-Security</c>, drops everything else. Shared, immutable.
    /// </summary>
    public static ResponseBaseline Outermost { get; } = new(isOutermost: true);

    /// <summary>For a response that had no headers. Shared, immutable.</summary>
    public static ResponseBaseline Empty { get; } = new(isOutermost: false);

    /// <summary>Remembers the headers there are now. The shared ones stay as they are.</summary>
    public void Capture(HttpResponse response)
    {
        if (_isShared)
        {
            return;
        }

        var headers = response.Headers;
        var count = headers.Count;
        if (count != 0)
        {
            if (_headers.Length < count)
            {
                _headers = new KeyValuePair<string, StringValues>[Math.Max(8, count)];
            }

            // Not foreach: over the interface it allocates its enumerator.
            headers.CopyTo(_headers, 0);
        }

        _count = count;
    }

    /// <summary>Puts the response back: headers, trailers, status 200, no reason phrase. The response must not have started.</summary>
    public void Restore(HttpResponse response)
    {
        var features = response.HttpContext.Features;
        var feature = features.FindResponse();
        var headers = feature?.Headers ?? response.Headers;
        if (_isOutermost)
        {
            KeepCrossOriginHeaders(headers);
        }
        else
        {
            RestoreCaptured(headers);
        }

        if (feature is not null)
        {
            feature.StatusCode = StatusCodes.Status200OK;
            feature.ReasonPhrase = null;
        }
        else
        {
            response.StatusCode = StatusCodes.Status200OK;
        }

        // HTTP/1.1 answers carry a length, and with it no trailers; reading the property elsewhere creates the collection.
        if (!HttpProtocol.IsHttp11(features.FindRequest()?.Protocol ?? response.HttpContext.Request.Protocol)
            && features.Find<IHttpResponseTrailersFeature>()?.Trailers is { IsReadOnly: false, Count: > 0 } trailers)
        {
            trailers.Clear();
        }
    }

    /// <summary>Forgets the request.</summary>
    public void Clear()
    {
        if (_count != 0)
        {
            Array.Clear(_headers, 0, _count);
            _count = 0;
        }
    }

    private void RestoreCaptured(IHeaderDictionary headers)
    {
        if (headers.Count != 0)
        {
            headers.Clear();
        }

        for (var i = 0; i < _count; i++)
        {
            var (name, value) = _headers[i];
            if (!DescribesBody(name))
            {
                headers[name] = value;
            }
        }
    }

    // Whoever set these described a body that will not be sent; a length or an encoding left over would corrupt the answer.
    private static bool DescribesBody(string name) =>
        name.StartsWith("Content-", StringComparison.OrdinalIgnoreCase)
            ? !name.StartsWith(HeaderNames.ContentSecurityPolicy, StringComparison.OrdinalIgnoreCase)
            : name.Equals(HeaderNames.TransferEncoding, StringComparison.OrdinalIgnoreCase);

    private static void KeepCrossOriginHeaders(IHeaderDictionary headers)
    {
        if (headers.Count == 0)
        {
            return;
        }

        var all = new KeyValuePair<string, StringValues>[headers.Count];
        headers.CopyTo(all, 0);
        headers.Clear();
        foreach (var (name, value) in all)
        {
            if (name.StartsWith("Access-Control-", StringComparison.OrdinalIgnoreCase)
                || name.Equals(HeaderNames.StrictTransportSecurity, StringComparison.OrdinalIgnoreCase))
            {
                headers[name] = value;
            }
            else if (name.Equals(HeaderNames.Vary, StringComparison.OrdinalIgnoreCase) && Names(value, HeaderNames.Origin))
            {
                headers.Vary = HeaderNames.Origin;
            }
        }
    }

    private static bool Names(StringValues list, string wanted)
    {
        foreach (var line in list)
        {
            foreach (var part in line.AsSpan().Split(','))
            {
                if (line.AsSpan()[part].Trim().Equals(wanted, StringComparison.OrdinalIgnoreCase))
                {
                    return true;
                }
            }
        }

        return false;
    }
}
