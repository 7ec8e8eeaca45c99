using Microsoft.AspNetCore.Http;

namespace ResilientHost.Fallbacks;

/// <summary>Sees an answer on its way out: told by a <see cref="GuardedResponseBody"/>, in order, by one thread at a time.</summary>
/// <remarks>
/// Nothing is told of an answer that is replaced, nor of one that the endpoint leaves to the server: status and headers, and nothing written, flushed, started or completed. A tap that throws is told
/// <see cref="OnUnrecordable"/> and nothing more; the request goes on.
/// </remarks>
internal interface IResponseTap
{
    /// <summary>The answer is about to be passed on; status and headers are the endpoint's last word. Once, before everything else.</summary>
    void OnStarting(HttpContext context);

    /// <summary>Bytes that are about to be passed on. They are the endpoint's: to be copied, not kept.</summary>
    void OnWrite(ReadOnlySpan<byte> bytes);

    /// <summary>The answer has parts that were not, or will not be, seen: it had begun before, took something back, ended with an error.</summary>
    void OnUnrecordable();
}
