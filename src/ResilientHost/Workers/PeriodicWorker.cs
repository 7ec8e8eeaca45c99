using ResilientHost.Workers;

namespace ResilientHost;

/// <summary>A worker that does something again and again, at fixed times.</summary>
/// <remarks>
/// The n-th iteration is due n periods after the run's start (or after <see cref="InitialDelay"/>), however long the ones before it took: the schedule does not drift. Iterations do not
/// overlap; one that is due while another runs is left out, not made up for. Each is a <c>context.RunIterationAsync</c> named <c>tick</c>: isolated, observed, paused with the service
/// level and the circuit, delayed after failures. Waiting for the next one is not silence. The clock is the registered <see cref="TimeProvider"/>.
/// </remarks>
public abstract class PeriodicWorker : IResilientWorker
{
    /// <summary>Name of every iteration in telemetry.</summary>
    private const string Iteration = "tick";

    private static readonly TimeSpan MaxPeriod = TimeSpan.FromDays(365);

    private readonly TimeSpan _period;
    private readonly TimeSpan _initialDelay;

    /// <summary>Makes a worker with a fixed period.</summary>
    /// <param name="period">From 1 ms to 365 days.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="period"/> is out of its bounds.</exception>
    protected PeriodicWorker(TimeSpan period)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(period, TimeSpan.FromMilliseconds(1));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(period, MaxPeriod);
        _period = period;
    }

    /// <summary>What the schedule starts with: after it, the periods are counted.</summary>
    /// <value>From 0 to 365 days; default 0.</value>
    /// <exception cref="ArgumentOutOfRangeException">The value is out of its bounds.</exception>
    protected TimeSpan InitialDelay
    {
        get => _initialDelay;
        init
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, TimeSpan.Zero);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, MaxPeriod);
            _initialDelay = value;
        }
    }

    /// <summary>Whether the first iteration is due at once (after <see cref="InitialDelay"/>), and not only after the first period.</summary>
    /// <value>Default <see langword="false"/>.</value>
    protected bool RunImmediately { get; init; }

    /// <inheritdoc/>
    public async Task RunAsync(WorkerContext context, CancellationToken stoppingToken)
    {
        ArgumentNullException.ThrowIfNull(context);
        var schedule = new PeriodicSchedule(_period, context.Shared.Clock, _initialDelay, RunImmediately);
        while (true)
        {
            for (var wait = schedule.UntilNext(); wait > TimeSpan.Zero; wait = schedule.UntilNext())
            {
                await context.Gate.IdleAsync(wait, stoppingToken);
            }

            await context.RunIterationAsync(Iteration, static (run, token) => run.Worker.RunIterationAsync(run.Context, token), (Worker: this, Context: context), stoppingToken);
            schedule.Ended();
        }
    }

    /// <summary>Does the work once.</summary>
    /// <param name="context">What the run has at hand.</param>
    /// <param name="stoppingToken">Cancelled when the run is to stop.</param>
    /// <returns>Completes when the work is done.</returns>
    protected abstract Task RunIterationAsync(WorkerContext context, CancellationToken stoppingToken);
}
