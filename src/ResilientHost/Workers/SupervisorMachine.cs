using System.Diagnostics;

namespace ResilientHost.Workers;

/// <summary>
/// Supervises a group of workers, or one: inputs and the time in, commands out. Knows no clock, no task and no log. Not thread-safe: <see cref="WorkerGroup"/> feeds it.
/// </summary>
/// <remarks>
/// <para>Sources: the supervisors of Erlang/OTP (restart types, strategies, order of stopping and starting, intensity) and suture's (decaying count).</para>
/// <list type="bullet">
/// <item>A failure counts once, however many members are restarted for it. A member that ends while its group is being stopped, in whatever way, was stopped.</item>
/// <item>Members stop one after the other, last first, each within its own limit, and start in order.</item>
/// <item>Once the host stops a member, nothing in the group is started again.</item>
/// <item>The end of a run that was abandoned moves no state, unless the member waits for it.</item>
/// </list>
/// </remarks>
internal sealed partial class SupervisorMachine(IReadOnlyList<SupervisorMember> members, Random random)
{
    private readonly RestartIntensity _intensity = new();
    private List<SupervisorCommand> _commands = [];
    private TimeSpan _now;
    private SupervisorRules _rules = null!;
    private Sweep? _sweep;
    private bool _gaveUp;
    private bool _stopping;

    /// <summary>When to come back with a <see cref="SupervisorInput.Tick"/>; <see langword="null"/> if nothing is due.</summary>
    public TimeSpan? NextDue => members.Min(member => member.Due);

    public WorkerState StateOf(int member) => members[member].State;

    /// <summary>Works off one input. What happened comes before what is due at the same moment: a run that ended in time is not abandoned.</summary>
    /// <returns>What to do, in order; states are shown before what they are about.</returns>
    public IReadOnlyList<SupervisorCommand> Handle(SupervisorInput input, TimeSpan now, SupervisorRules rules)
    {
        _commands = [];
        _now = now;
        _rules = rules;
        switch (input)
        {
            case SupervisorInput.Start start:
                Start(members[start.Member]);
                break;
            case SupervisorInput.Stop stop:
                Stop(members[stop.Member]);
                break;
            case SupervisorInput.StopWaitingFor wait:
                StopWaitingFor(members[wait.Member]);
                break;
            case SupervisorInput.Ended ended:
                Ended(members[ended.Member], ended.Run, ended.Exception);
                break;
            case SupervisorInput.Stuck stuck:
                Stuck(members[stuck.Member], stuck.Run, stuck.Detail);
                break;
            case SupervisorInput.Pause pause:
                Pause(members[pause.Member], pause.Detail);
                break;
            case SupervisorInput.Resume resume:
                Resume(members[resume.Member]);
                break;
            case SupervisorInput.Restart restart:
                Restart(members[restart.Member]);
                break;
            case SupervisorInput.Tick:
                break;
            default:
                throw new UnreachableException($"No such input: {input}.");
        }

        do
        {
            WorkOffDue();
        }
        while (StepSweep());

        return _commands;
    }

    private void Start(SupervisorMember member)
    {
        if (member.Wanted || member.State != WorkerState.Created)
        {
            return;
        }

        if (_gaveUp)
        {
            Enter(member, WorkerState.Failed, WorkerTransitionCause.GaveUp, detail: "its group gave up before it was started");
            return;
        }

        // While the group is being restarted, it begins with the others.
        member.Wanted = true;
        if (!Sweeps(member))
        {
            Begin(member, WorkerTransitionCause.Host);
        }
    }

    private void Stop(SupervisorMember member)
    {
        _stopping = true;
        member.Wanted = false;
        if (_sweep is { GivesUp: false })
        {
            _sweep = null;
        }

        foreach (var waiting in members)
        {
            waiting.AwaitsAbandoned = null;
            waiting.Due = waiting.State == WorkerState.BackingOff ? null : waiting.Due;
        }

        switch (member.State)
        {
            case WorkerState.Running:
                AskToStop(member, WorkerTransitionCause.Host);
                break;
            case WorkerState.Stopping:
                member.StopCause = WorkerTransitionCause.Host;
                member.StopDetail = null;
                break;
            case WorkerState.Created or WorkerState.BackingOff or WorkerState.Paused:
                Enter(member, WorkerState.Stopped, WorkerTransitionCause.Host);
                break;
            default:
                break;
        }
    }

    private void StopWaitingFor(SupervisorMember member)
    {
        if (member.State == WorkerState.Stopping)
        {
            Abandon(member);
        }
    }

    private void Ended(SupervisorMember member, int run, Exception? exception)
    {
        if (member.Abandoned.Remove(run, out var since))
        {
            Add(new SupervisorCommand.AbandonedEnded(member.Index, run, _now - since));
            TellLate(member, run, exception);
            if (member.AwaitsAbandoned is { } cause)
            {
                BeginAgain(member, cause);
            }
        }
        else if (run != member.Run)
        {
            return;
        }
        else if (member.State == WorkerState.Stopping)
        {
            Stopped(member, exception);
        }
        else if (member.State == WorkerState.Running)
        {
            EndedByItself(member, exception);
        }
    }

    private void EndedByItself(SupervisorMember member, Exception? exception)
    {
        var policy = PolicyOf(member);
        var cause = exception is null ? WorkerTransitionCause.Returned : WorkerTransitionCause.Failure;
        if (policy.Restart != RestartPolicy.Temporary && _sweep is { } sweep && Sweeps(member))
        {
            // Its turn to be stopped had not come. OTP counts no failure of a child that it is about to stop, either: one broken dependency fails all siblings at once.
            Down(member, WorkerTransitionCause.Group, exception, sweep.Why);
        }
        else if (exception is null && (policy.Restart != RestartPolicy.Permanent || _stopping || !_rules.Enabled))
        {
            Enter(member, WorkerState.Completed, cause);
        }
        else
        {
            Fail(member, cause, exception);
        }
    }

    private void Stuck(SupervisorMember member, int run, string detail)
    {
        if (member.State == WorkerState.Running && member.Run == run && _rules.Enabled && !_stopping)
        {
            AskToStop(member, WorkerTransitionCause.Silence, detail);
        }
    }

    private void Pause(SupervisorMember member, string? detail)
    {
        member.Held = true;
        if (member.State == WorkerState.Running && !Sweeps(member))
        {
            AskToStop(member, WorkerTransitionCause.ServiceLevel, detail);
        }
    }

    private void Resume(SupervisorMember member)
    {
        member.Held = false;
        if (member.State == WorkerState.Paused && !Sweeps(member) && !_stopping)
        {
            BeginAgain(member, WorkerTransitionCause.ServiceLevel);
        }
    }

    private void Restart(SupervisorMember member)
    {
        if (_stopping || !member.Wanted || _sweep is { GivesUp: true })
        {
            return;
        }

        _intensity.Clear();
        _gaveUp = false;
        member.Failures = 0;
        if (member.State == WorkerState.Running && !Sweeps(member))
        {
            AskToStop(member, WorkerTransitionCause.Manual);
        }
        else if (Sweeps(member))
        {
            // The group is on its way to a new run of it; what is left to skip is the delay.
            member.Due = member.State == WorkerState.BackingOff ? null : member.Due;
        }
        else if (member.State is not WorkerState.Running and not WorkerState.Stopping)
        {
            BeginAgain(member, WorkerTransitionCause.Manual);
        }
    }

    private void WorkOffDue()
    {
        while (members.FirstOrDefault(member => member.Due <= _now) is { } member)
        {
            member.Due = null;
            if (member.State == WorkerState.Stopping)
            {
                Abandon(member);
            }
            else if (!Sweeps(member))
            {
                BeginAgain(member, WorkerTransitionCause.Restart);
            }
        }
    }
}
