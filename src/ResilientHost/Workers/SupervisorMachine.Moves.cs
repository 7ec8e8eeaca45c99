using System.Globalization;

namespace ResilientHost.Workers;

internal sealed partial class SupervisorMachine
{
    private WorkerPolicy PolicyOf(SupervisorMember member) => _rules.Members[member.Index];

    private void Add(SupervisorCommand command) => _commands.Add(command);

    private void Enter(SupervisorMember member, WorkerState state, WorkerTransitionCause cause, Exception? exception = null, string? detail = null)
    {
        member.State = state;
        member.Due = null;
        member.AwaitsAbandoned = null;
        Add(new SupervisorCommand.Enter(member.Index, member.Run, state, cause, exception, detail));
    }

    private void Begin(SupervisorMember member, WorkerTransitionCause cause)
    {
        member.Run++;
        member.RunBegan = _now;
        Enter(member, WorkerState.Running, cause);

        // A first run and one after a pause are no restarts.
        Add(new SupervisorCommand.Begin(member.Index, member.Run, cause is not (WorkerTransitionCause.Host or WorkerTransitionCause.ServiceLevel)));
    }

    /// <summary>Begins a run, unless it is to stand still, or a hung run is in its way: then it begins when that has ended.</summary>
    /// <remarks>Kill switch or not: what failed while it was on was promised a restart, and a switch that is turned off must not be what takes the service down.</remarks>
    private void BeginAgain(SupervisorMember member, WorkerTransitionCause cause)
    {
        member.AwaitsAbandoned = null;
        if (member.Held)
        {
            Enter(member, WorkerState.Paused, WorkerTransitionCause.ServiceLevel);
        }
        else if (!member.MayBegin(PolicyOf(member)))
        {
            Enter(member, WorkerState.BackingOff, cause, detail: "waits for a run that did not end when it was asked to");
            member.AwaitsAbandoned = cause;
        }
        else
        {
            Begin(member, cause);
        }
    }

    private void AskToStop(SupervisorMember member, WorkerTransitionCause cause, string? detail = null)
    {
        member.StopCause = cause;
        member.StopDetail = detail;
        member.StopAsked = _now;
        Enter(member, WorkerState.Stopping, cause, detail: detail);
        member.Due = _now + PolicyOf(member).StopTimeout;
        Add(new SupervisorCommand.Cancel(member.Index, member.Run));
    }

    private void Abandon(SupervisorMember member)
    {
        member.Abandoned.Add(member.Run, _now);
        Add(new SupervisorCommand.Abandon(member.Index, member.Run, _now - member.StopAsked));
        Stopped(member, exception: null);
    }

    /// <summary>A run that was asked to stop ended, or was abandoned.</summary>
    private void Stopped(SupervisorMember member, Exception? exception) =>
        Down(member, Sweeps(member) && member.StopCause != WorkerTransitionCause.Host ? WorkerTransitionCause.Group : member.StopCause, exception, member.StopDetail);

    private void Down(SupervisorMember member, WorkerTransitionCause cause, Exception? exception, string? detail)
    {
        if (cause != WorkerTransitionCause.Silence)
        {
            TellLate(member, member.Run, exception);
        }

        switch (cause)
        {
            case WorkerTransitionCause.Silence:
                Fail(member, cause, exception is OperationCanceledException ? null : exception, detail);
                break;
            case WorkerTransitionCause.ServiceLevel when member.Held:
                Enter(member, WorkerState.Paused, cause);
                break;
            case WorkerTransitionCause.ServiceLevel or WorkerTransitionCause.Manual when !_stopping:
                BeginAgain(member, cause);
                break;
            case WorkerTransitionCause.Group when _sweep is { GivesUp: true }:
                Enter(member, WorkerState.Failed, WorkerTransitionCause.GaveUp, detail: _sweep.Why);
                break;
            case WorkerTransitionCause.Group when _sweep is not null && PolicyOf(member).Restart != RestartPolicy.Temporary && !member.MayBegin(PolicyOf(member)):
                GiveUp(member, exception: null, HungTooOften(member));
                break;
            default:
                Enter(member, WorkerState.Stopped, cause, detail: detail);
                break;
        }
    }

    private void Fail(SupervisorMember member, WorkerTransitionCause cause, Exception? exception, string? detail = null)
    {
        var policy = PolicyOf(member);
        if (_stopping || policy.Restart == RestartPolicy.Temporary)
        {
            Enter(member, WorkerState.Failed, cause, exception, detail);
        }
        else if (!_rules.Enabled)
        {
            GiveUpAlone(member, exception);
        }
        else if (!member.MayBegin(policy))
        {
            GiveUp(member, exception, HungTooOften(member));
        }
        else if (_intensity.Count(_now, _rules.Limits) is { } tooMany)
        {
            GiveUp(member, exception, tooMany);
        }
        else
        {
            member.Failures = _now - member.RunBegan >= _rules.Limits.Window ? 1 : member.Failures + 1;
            var delay = RestartBackoff.Delay(policy, member.Failures, random);
            Enter(member, WorkerState.BackingOff, cause, exception, $"{(detail is null ? "" : $"{detail}; ")}starts again in {Seconds(delay)}");
            member.Due = _now + delay;
            if (_rules.Strategy != GroupStrategy.OneForOne)
            {
                StartSweep(_rules.Strategy == GroupStrategy.OneForAll ? 0 : member.Index, $"'{member.Name}' failed");
            }
        }
    }

    private void GiveUp(SupervisorMember member, Exception? exception, string why)
    {
        _gaveUp = true;
        Enter(member, WorkerState.Failed, WorkerTransitionCause.GaveUp, exception, why);
        _sweep = new(0, GivesUp: true, members.Count == 1 ? why : $"'{member.Name}': {why}");
        Add(new SupervisorCommand.GiveUp(member.Index, member.Run, WholeGroup: true, exception, why));
    }

    /// <summary>While the kill switch is off, nothing happens to the siblings either.</summary>
    private void GiveUpAlone(SupervisorMember member, Exception? exception)
    {
        const string Why = "workers are not restarted while the suite is switched off";
        Enter(member, WorkerState.Failed, WorkerTransitionCause.GaveUp, exception, Why);
        Add(new SupervisorCommand.GiveUp(member.Index, member.Run, WholeGroup: false, exception, Why));
    }

    private void TellLate(SupervisorMember member, int run, Exception? exception)
    {
        if (exception is not null and not OperationCanceledException)
        {
            Add(new SupervisorCommand.LateFailure(member.Index, run, exception));
        }
    }

    private static string HungTooOften(SupervisorMember member) => member.Abandoned.Count == 1
        ? "a run did not end when it was asked to"
        : $"{member.Abandoned.Count} runs did not end when they were asked to";

    private static string Seconds(TimeSpan duration) => string.Create(CultureInfo.InvariantCulture, $"{duration.TotalSeconds:0.###} s");
}
