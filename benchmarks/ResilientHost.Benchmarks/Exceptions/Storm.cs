using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using ResilientHost.Benchmarks.Ratios;
using ResilientHost.Benchmarks.Requests;

namespace ResilientHost.Benchmarks.Exceptions;

/// <summary>The same failure again and again: an endpoint that throws beneath ten asynchronous frames, as one does whose database is gone.</summary>
internal static class Storm
{
    private const int Frames = 10;

    public static (IOperation Ours, IOperation Peer) Sides(bool awaits, bool logs) => (Calls(Requests.Pipeline.Layered, awaits, logs), Calls(Requests.Pipeline.Stock, awaits, logs));

    private static RequestCalls Calls(Func<ILoggerProvider?, Requests.Pipeline> build, bool awaits, bool logs)
    {
        using var log = logs ? new FormattedLog() : null;
        var gate = awaits ? new Gate() : null;
        var pipeline = build(log);
        var calls = new RequestCalls(pipeline, Endpoints.Failing(() => DescendAsync(Frames, gate), pipeline.Services), StatusCodes.Status500InternalServerError, gate);
        return log is { Entries: 0 } ? throw new InvalidOperationException("The first failure must be in the log.") : calls;
    }

    private static async Task DescendAsync(int frames, Gate? gate)
    {
        if (frames > 1)
        {
            await DescendAsync(frames - 1, gate);
            return;
        }

        if (gate is not null)
        {
            await gate.WaitAsync();
        }

        throw new InvalidOperationException("benchmark");
    }
}
