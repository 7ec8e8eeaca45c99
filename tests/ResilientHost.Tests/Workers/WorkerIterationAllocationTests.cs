using System.Diagnostics;
using ResilientHost.Workers;

namespace ResilientHost.Tests.Workers;

/// <summary>What an iteration costs the heap. Alone in the process, as listeners of other tests would be heard.</summary>
[Collection("alone in the process")]
public sealed class WorkerIterationAllocationTests : IDisposable
{
    private const int Iterations = 1_000;

    private readonly IterationsUnderTest _under = new(options => options.HeartbeatTimeout = TimeSpan.FromSeconds(10));

    public WorkerIterationAllocationTests()
    {
        _under.AddBreaker(configure: options => options.ConsecutiveFailures = 0);
        _under.AddBulkhead();
        _under.Metrics.Dispose();
    }

    public void Dispose() => _under.Dispose();

    [Fact]
    public void Iteration_ThatCompletesAtOnce_AllocatesNothing() =>
        Measure(static context => context.RunIterationAsync("poll", static (_, _) => Task.CompletedTask, 0)).ShouldBe(0);

    [Fact]
    public void Iteration_ThatAwaits_AllocatesItsFrame()
    {
        var gate = new TaskCompletionSource[1];
        Measure(context =>
        {
            gate[0] = new TaskCompletionSource();
            var running = context.RunIterationAsync("poll", static (gate, _) => gate[0].Task, gate);
            gate[0].SetResult();
            return running;
        }).ShouldBeLessThan(512);
    }

    private static void Consume(ValueTask<CallOutcome> iteration)
    {
        if (!iteration.IsCompletedSuccessfully)
        {
            iteration.AsTask().GetAwaiter().GetResult();
        }
    }

    private long Measure(Func<WorkerContext, ValueTask<CallOutcome>> run)
    {
        Activity.Current = null;
        for (var i = 0; i < Iterations; i++)
        {
            run(_under.Context).AsTask().IsCompletedSuccessfully.ShouldBeTrue();
        }

        return AllocatedBytes.Of(() =>
        {
            for (var i = 0; i < Iterations; i++)
            {
                Consume(run(_under.Context));
            }
        }) / Iterations;
    }
}
