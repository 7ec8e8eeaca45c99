using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using ResilientHost.Hosting;

namespace ResilientHost.Refusals;

/// <summary>Whether an answer can still be given, and the discarding of what an endpoint had buffered before it failed.</summary>
internal static class ResponseBody
{
    /// <summary>
    /// Makes the body empty. <see langword="false"/>: the response has started, or holds bytes that cannot be taken back, and must be aborted.
    /// </summary>
    /// <remarks>
    /// Kestrel keeps what was written to <see cref="HttpResponse.BodyWriter"/> without a flush: the response has not started, yet the
    /// bytes precede whatever is written next, and there is no way to drop them (completing the writer with an error sends them).
    /// </remarks>
    public static bool TryDiscard(HttpResponse response)
    {
        var features = response.HttpContext.Features;
        if (features.FindResponse()?.HasStarted ?? response.HasStarted)
        {
            return false;
        }

        try
        {
            var body = features.FindResponseBody();
            var writer = body?.Writer ?? response.BodyWriter;
            var isHolding = writer.CanGetUnflushedBytes && writer.UnflushedBytes > 0;
            if (body is not StreamResponseBodyFeature { Stream.CanSeek: true } buffered)
            {
                return !isHolding;
            }

            // Middleware replaced the body by a buffer of its own.
            if (buffered.Stream.Length > 0)
            {
                buffered.Stream.SetLength(0);
            }

            if (isHolding)
            {
                // A new writer over the same stream: the old one is dropped with its bytes.
                response.HttpContext.Features.Set<IHttpResponseBodyFeature>(buffered.PriorFeature is { } prior
                    ? new StreamResponseBodyFeature(buffered.Stream, prior)
                    : new StreamResponseBodyFeature(buffered.Stream));
            }

            return true;
        }
        catch (Exception)
        {
            // A body stream or writer that is disposed, completed or not resizable: nothing whole can be written to it any more.
            return false;
        }
    }
}
