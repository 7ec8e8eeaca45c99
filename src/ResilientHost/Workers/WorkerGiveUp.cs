using Microsoft.Extensions.Hosting;

namespace ResilientHost.Workers;

/// <summary>What giving up a worker comes to, and makes it happen.</summary>
/// <param name="settings">Names what is asked for; the kill switch.</param>
/// <param name="catalogue">Knows who else is in a group.</param>
/// <param name="faults">Knows what the application wants of the host.</param>
/// <param name="lifetime">The host; <see langword="null"/> without one.</param>
internal sealed class WorkerGiveUp(Func<WorkerSettings> settings, WorkerCatalogue catalogue, HostFaults faults, IHostApplicationLifetime? lifetime = null)
{
    /// <summary>What is to happen when a worker, or the group that it is in, is given up.</summary>
    /// <param name="worker">The worker.</param>
    /// <param name="asked">What configuration or code says of whoever gives up; <see langword="null"/>: nothing.</param>
    public GiveUpAction ActionOf(Worker worker, GiveUpAction? asked)
    {
        if (asked is { } action)
        {
            return action;
        }

        return worker.Policy.Group is { } group
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

        // What the application does when it is stopping runs within that call.
        ThreadPool.UnsafeQueueUserWorkItem(Stop, lifetime, preferLocal: false);
    }

    private static void Stop(IHostApplicationLifetime lifetime)
    {
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
