namespace ResilientHost.Workers;

internal sealed partial class WorkerGroup
{
    private void CarryOut(SupervisorCommand command)
    {
        var seat = _seats[command.Member];
        try
        {
            switch (command)
            {
                case SupervisorCommand.Enter enter:
                    Enter(seat.Worker, enter);
                    break;
                case SupervisorCommand.Begin begin:
                    Begin(seat, begin);
                    break;
                case SupervisorCommand.Cancel cancel:
                    _ = CancelAsync(seat, cancel.Run, seat.Runs[cancel.Run]);
                    break;
                case SupervisorCommand.Abandon abandon:
                    seat.Worker.CountAbandoned(1);
                    _events.Abandoned(seat.Worker.Name, abandon.Run, abandon.Waited, seat.Worker.Pulse.Activity);
                    break;
                case SupervisorCommand.AbandonedEnded ended:
                    seat.Worker.CountAbandoned(-1);
                    _events.AbandonedEnded(seat.Worker.Name, ended.Run, ended.After);
                    break;
                case SupervisorCommand.LateFailure late:
                    _events.LateFailure(seat.Worker.Name, late.Run, late.Exception);
                    break;
                case SupervisorCommand.GiveUp giveUp:
                    _events.GaveUp(seat.Worker, giveUp.WholeGroup ? Name : null, ActionOf(giveUp), giveUp.Exception, giveUp.Why);
                    break;
                default:
                    break;
            }
        }
        catch (Exception)
        {
            // Who listens promised not to throw; supervision goes on all the same, as the commands that follow are about other runs.
        }
    }

    private void Enter(Worker worker, SupervisorCommand.Enter enter)
    {
        // A run that was silent has thrown nothing; it has failed all the same.
        var isSilence = enter is { State: WorkerState.BackingOff or WorkerState.Failed, Cause: WorkerTransitionCause.Silence };
        var failure = enter.Exception ?? (isSilence ? new TimeoutException(enter.Detail) : null);
        if (failure is not null)
        {
            worker.KeepFailure(failure);
        }

        if (worker.Change(enter.State, enter.Cause, enter.Run, enter.Exception, enter.Detail))
        {
            worker.Publish(_events);
        }
    }

    private void Begin(Seat seat, SupervisorCommand.Begin begin)
    {
        if (begin.Again)
        {
            seat.Worker.CountRestart();
        }

        seat.Worker.Pulse.BeginRun(begin.Run);
        CancellationTokenSource stopping = new();
        seat.Runs.Add(begin.Run, stopping);

        // Without the caller's execution context: neither the start of the host nor the failure of a sibling is what the run is about.
        ThreadPool.UnsafeQueueUserWorkItem(
            static begun => _ = begun.Group.WatchAsync(begun.Seat, begun.Run, begun.Stopping), (Group: this, Seat: seat, begin.Run, Stopping: stopping), preferLocal: false);
    }

    private async Task WatchAsync(Seat seat, int run, CancellationTokenSource stopping)
    {
        Exception? failure = null;
        try
        {
            await seat.Worker.Body.RunAsync(new(seat.Worker, run, stopping.Token));
        }
        catch (Exception exception)
        {
            failure = exception;
        }

        // What the run left behind ends before the next one begins, as far as it listens.
        _ = CancelAsync(seat, run, stopping);
        Post(new SupervisorInput.Ended(seat.Index, run, failure));
    }

    private async Task CancelAsync(Seat seat, int run, CancellationTokenSource stopping)
    {
        seat.Worker.Pulse.EndRun(run);
        try
        {
            await stopping.CancelAsync();
        }
        catch (Exception exception)
        {
            // A callback of the run's own threw; every other one was called.
            _events.LateFailure(seat.Worker.Name, run, exception);
        }
    }

    /// <summary>What the group says; for a worker on its own what its policy says. <see langword="null"/> leaves it to who carries it out, who knows the kinds of workers.</summary>
    private GiveUpAction? ActionOf(SupervisorCommand.GiveUp giveUp) =>
        giveUp.WholeGroup && _groupPolicy is { } group ? group.OnGiveUp : _rules.Members[giveUp.Member].OnGiveUp;
}
