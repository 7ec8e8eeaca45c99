namespace ResilientHost.Workers;

internal sealed partial class SupervisorMachine
{
    private bool Sweeps(SupervisorMember member) => _sweep is { } sweep && member.Index >= sweep.From;

    private void StartSweep(int from, string why)
    {
        // A failure before those that are being restarted takes them and all between along.
        if (_sweep is null || from < _sweep.From)
        {
            _sweep = new(from, GivesUp: false, why);
        }
    }

    /// <summary>Takes the sweep one step further.</summary>
    /// <returns>Whether there may be another step to take now.</returns>
    private bool StepSweep()
    {
        if (_sweep is not { } sweep)
        {
            return false;
        }

        var swept = members.Skip(sweep.From);
        if (swept.Any(member => member.State == WorkerState.Stopping))
        {
            return false;
        }

        if (swept.LastOrDefault(member => member.State == WorkerState.Running) is { } last)
        {
            AskToStop(last, WorkerTransitionCause.Group, sweep.Why);
            return true;
        }

        if (!sweep.GivesUp && swept.Any(member => member.Due is not null))
        {
            return false;
        }

        if (sweep.GivesUp)
        {
            FailAll(swept, sweep.Why);
        }
        else
        {
            BeginAll(swept);
        }

        _sweep = null;
        return false;
    }

    private void BeginAll(IEnumerable<SupervisorMember> swept)
    {
        foreach (var member in swept.Where(member => member.Wanted))
        {
            if (member.State == WorkerState.Created)
            {
                Begin(member, WorkerTransitionCause.Host);
            }
            else if (PolicyOf(member).Restart != RestartPolicy.Temporary && member.State != WorkerState.Failed)
            {
                BeginAgain(member, member.State == WorkerState.BackingOff ? WorkerTransitionCause.Restart : WorkerTransitionCause.Group);
            }
        }
    }

    private void FailAll(IEnumerable<SupervisorMember> swept, string why)
    {
        // Who completed has done its work all the same; who was not started learns of it when the host does.
        foreach (var member in swept.Where(member => member.Wanted && member.State is not (WorkerState.Completed or WorkerState.Failed)))
        {
            Enter(member, WorkerState.Failed, WorkerTransitionCause.GaveUp, detail: why);
        }
    }

    /// <summary>Members that are brought down together, last first; then they all start in order, or the group has given up.</summary>
    /// <param name="From">The first of them: it and all after it.</param>
    /// <param name="GivesUp">Whether they stay down.</param>
    /// <param name="Why">For people.</param>
    private sealed record Sweep(int From, bool GivesUp, string Why);
}
