using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using ResilientHost.Refusals;

namespace ResilientHost.Degradation;

/// <summary>Where a request stands in the order in which requests are turned down: a number from 0 up to, not including, 1; those below the ratio are.</summary>
/// <remarks>
/// The same for each attempt of one request, so that trying again at once does not help; hence while the ratio grows, what was once turned down stays so. The hash is keyed by
/// process: nobody can work out which ids pass. Who has found one by trying may use it again, as whoever retries may.
/// </remarks>
internal static class RequestDraw
{
    private const int TraceIdStart = 3;
    private const int TraceIdLength = 32;

    /// <param name="context">By its received request id, else its received trace id, else by chance.</param>
    /// <param name="random">The chance.</param>
    public static double Of(HttpContext context, Random random)
    {
        if (RequestIdentity.ReceivedRequestIdOf(context) is { } id)
        {
            return Of(id);
        }

        var parents = context.Request.Headers.TraceParent;
        return parents.Count == 1 && parents[0] is { } parent && ActivityContext.TryParse(parent, traceState: null, out _)
            ? Of(parent.AsSpan(TraceIdStart, TraceIdLength))
            : random.NextDouble();
    }

    /// <summary>The number of an id.</summary>
    public static double Of(ReadOnlySpan<char> id)
    {
        // The finalizer of MurmurHash3 (Appleby, public domain): ids that differ in one character must not stand side by side.
        var bits = (ulong)(uint)string.GetHashCode(id, StringComparison.Ordinal);
        bits = (bits ^ 0x9E3779B97F4A7C15) * 0xFF51AFD7ED558CCD;
        bits = (bits ^ (bits >> 33)) * 0xC4CEB9FE1A85EC53;
        bits ^= bits >> 33;
        return (bits >> 11) * (1.0 / (1UL << 53));
    }
}
