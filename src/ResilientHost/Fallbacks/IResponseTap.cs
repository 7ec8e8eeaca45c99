using Microsoft.AspNetCore.Http;

namespace ResilientHost.Fallbacks;

/// <summary>Sees an answer on its way out without holding it up.</summary>
internal interface IResponseTap
{
    /// <summary>Before the first byte, flush or start of the answer is passed on.</summary>
    void OnStarting(HttpContext context);

    /// <summary>Bytes that are about to be passed on.</summary>
    void OnWrite(ReadOnlySpan<byte> bytes);

    /// <summary>The answer goes, in part or whole, a way on which its bytes are not seen.</summary>
    void OnUnrecordable();
}
