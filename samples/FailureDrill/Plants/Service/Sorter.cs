using ResilientHost;

namespace FailureDrill.Plants.Service;

/// <summary>A worker of the suite, whose pass hangs for ever when it is jammed, and does not notice that it is to end.</summary>
internal sealed class Sorter(Output output, Breakdowns breakdowns) : PeriodicWorker(TimeSpan.FromMilliseconds(20))
{
    protected override async Task RunIterationAsync(WorkerContext context, CancellationToken stoppingToken)
    {
        if (breakdowns.TakeJam())
        {
            await new TaskCompletionSource().Task;
        }

        output.Sort();
    }
}
