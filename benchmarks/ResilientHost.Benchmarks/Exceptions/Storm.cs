using Microsoft.AspNetCore.Http;
using ResilientHost.Benchmarks.Ratios;
using ResilientHost.Benchmarks.Requests;

namespace ResilientHost.Benchmarks.Exceptions;

/// <summary>The same failure again and again: an endpoint that throws beneath ten asynchronous frames, as one does whose database is gone.</summary>
internal static class Storm
{
    // The handler's own frame is the tenth.
    private const int FramesBelow = 9;

    /// <summary>Recovery against the stock handler, with the same logging on both sides.</summary>
    /// <remarks>The stock handler logs each failure whole. Ours logs the first of ten seconds whole, and the number of the others at their end: of 3 seconds of slices, one entry.</remarks>
    public static (IOperation Ours, IOperation Peer) Logged()
    {
        using FormattedLog ours = new();
        using FormattedLog peer = new();
        var sides = (Calls(Requests.Pipeline.Layered(ours)), Calls(Requests.Pipeline.Stock(peer)));
        return ours.Entries == 1 && peer.Entries == 1 ? sides : throw new InvalidOperationException("The first failure must be in the log of each.");
    }

    /// <summary>The same where nobody logs.</summary>
    public static (IOperation Ours, IOperation Peer) Unlogged() => (Calls(Requests.Pipeline.Layered()), Calls(Requests.Pipeline.Stock()));

    /// <summary>All layers against what a team would put together for the same, each of which throws the exception on once more. The breakers count, and stay closed.</summary>
    public static (IOperation Ours, IOperation Peer) ThroughLayers() =>
        (Calls(Requests.Pipeline.Layered(), FailingCalls.AllGates()), Calls(Requests.Pipeline.StockStack(withTimeouts: true, opens: false), RequestCalls.StockPolicy()));

    private static RequestCalls Calls(Requests.Pipeline pipeline, params object[] metadata)
    {
        Gate gate = new();
        return new RequestCalls(pipeline, Endpoints.Failing(() => DescendAsync(FramesBelow, gate), pipeline.Services, metadata), StatusCodes.Status500InternalServerError, gate);
    }

    private static async Task DescendAsync(int frames, Gate gate)
    {
        if (frames > 1)
        {
            await DescendAsync(frames - 1, gate);
            return;
        }

        await gate.WaitAsync();
        throw new InvalidOperationException("benchmark");
    }
}
