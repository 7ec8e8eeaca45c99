using Microsoft.Extensions.Hosting;
using ResilientHost.Hosting;

namespace ResilientHost.Workers;

/// <summary>What giving up a worker comes to, and makes it happen.</summary>
/// <param name="settings">Names what is asked for; the kill switch.</param>
/// <param name="catalogue">Knows who else is in a group.</param>
/// <param name="faults">Knows what the application wants of the host.</param>
/// <param name="clock">Measures how long the host may take to start.</param>
/// <param name="lifetime">The host; <see langword="null"/> without one.</param>
internal sealed class WorkerGiveUp(Func<WorkerSettings> settings, WorkerCatalogue catalogue, HostFaults faults, MonotonicClock clock, IHostApplicationLifetime? lifetime = null)
{
    /// <summary>How long a host that is starting may go on before it is stopped in the middle of it.</summary>
    public static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(10);

    /// <summary>What is to happen when a worker, or the group that it is in, is given up.</summary>
    /// <param name="worker">The worker.</param>
    /// <param name="group">The group that gives up with it: the strictest of its members decides. <see langword="null"/>: the worker alone.</param>
    /// <param name="asked">What configuration or code says of whoever gives up; <see langword="null"/>: nothing.</param>
    public GiveUpAction ActionOf(Worker worker, string? group, GiveUpAction? asked)
    {
        if (asked is { } action)
        {
            return action;
        }

        return group is not null
            ? catalogue.All.Where(member => string.Equals(member.Policy.Group, group, StringComparison.OrdinalIgnoreCase)).Append(worker).Select(ActionOf).Max()
            : ActionOf(worker);
    }

    /// <summary>Does what was decided. Returns at once; never throws.</summary>
    public void Execute(GiveUpAction action)
    {
        if (action != GiveUpAction.StopHost || lifetime is null)
        {
            return;
        }

        // With the kill switch off, a failure has the outcome that it has without the suite: the exit code of the host's own stop is 0.
        if (settings().Enabled && Environment.ExitCode == 0)
        {
            Environment.ExitCode = ResilienceDiagnostics.GaveUpExitCode;
        }

        _ = DetachedTask.Run(() => StopAsync(lifetime));
    }

    private async Task StopAsync(IHostApplicationLifetime lifetime)
    {
        // A host that is stopped while it starts throws the cancellation of its own start out of Main, where an exit code is worth nothing.
        await BackgroundServiceRun.CancelledAsync(lifetime.ApplicationStarted)
            .WaitAsync(StartPatience, clock.Provider, lifetime.ApplicationStopping)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        try
        {
            lifetime.StopApplication();
        }
        catch (Exception)
        {
            // The application's own, which heard of the stop all the same; or a host that is gone.
        }
    }

    private GiveUpAction ActionOf(Worker worker)
    {
        var policy = worker.Policy;
        if (policy.OnGiveUp is { } action)
        {
            return action;
        }

        return (worker.Body is HostedServiceBody ? faults.Behavior == BackgroundServiceExceptionBehavior.StopHost : policy.Criticality == Criticality.Critical)
            ? GiveUpAction.StopHost
            : GiveUpAction.Fail;
    }
}
