namespace ResilientHost.Workers;

internal sealed partial class WorkerGroup
{
    private readonly Lock _gate = new();
    private readonly Queue<Message> _inbox = new();
    private SupervisorRules _rules;
    private WorkerGroupPolicy? _groupPolicy;
    private bool _working;

    private void Post(SupervisorInput input) => Post(new Message(input, seat: null));

    /// <summary>The task ends when the input was worked off.</summary>
    private Task PostAsync(SupervisorInput input)
    {
        Message message = new(input, seat: null);
        Post(message);
        return message.Done.Task;
    }

    /// <summary>The task ends when the input was worked off and the member is not stopping.</summary>
    private Task PostAndSettleAsync(Seat seat, SupervisorInput input)
    {
        Message message = new(input, seat);
        Post(message);
        return message.Done.Task;
    }

    private void Post(Message message)
    {
        lock (_gate)
        {
            _inbox.Enqueue(message);
            if (_working)
            {
                return;
            }

            _working = true;
        }

        WorkOff();
    }

    private void WorkOff()
    {
        while (true)
        {
            Message? message;
            lock (_gate)
            {
                if (!_inbox.TryDequeue(out message))
                {
                    // Armed before somebody else can take over, who would arm it for something later.
                    Arm();
                    if (_inbox.Count > 0)
                    {
                        // A clock that a test sets calls back within Change when the time has come by then: nobody else would work that off.
                        continue;
                    }

                    _working = false;
                    return;
                }
            }

            try
            {
                if (message.Input is SupervisorInput.Ended ended)
                {
                    _seats[ended.Member].Runs.Remove(ended.Run);
                }

                _rules = RulesInForce();
                foreach (var command in _machine.Handle(message.Input, _clock.Elapsed(_origin, _clock.Timestamp()), _rules))
                {
                    CarryOut(command);
                }

                Settle(message);
            }
            catch (Exception exception)
            {
                // Not foreseen; the loop must outlive it, and whoever waits must hear of it.
                message.Done.TrySetException(exception);
            }
        }
    }

    private void Settle(Message message)
    {
        if (message.Seat is { } seat)
        {
            seat.Waiting.Add(message.Done);
        }
        else
        {
            message.Done.TrySetResult();
        }

        foreach (var settled in _seats.Where(seat => seat.Waiting.Count > 0 && _machine.StateOf(seat.Index) != WorkerState.Stopping))
        {
            settled.Waiting.ForEach(waiting => waiting.TrySetResult());
            settled.Waiting.Clear();
        }
    }

    /// <summary>What configuration says now; what it said last while it cannot be read.</summary>
    private SupervisorRules RulesInForce()
    {
        try
        {
            var policies = _seats.Select(seat => seat.Worker.Policy).ToArray();
            var enabled = _enabled();
            _groupPolicy = _policy();
            return _groupPolicy is { } group
                ? new(enabled, group.Strategy, group.Limits, policies)
                : new(enabled, GroupStrategy.OneForOne, policies[0].Limits, policies);
        }
        catch (Exception)
        {
            return _rules;
        }
    }

    private SupervisorRules RulesWithoutConfiguration()
    {
        WorkerPolicy policy = new(new WorkerOptions());
        return new(Enabled: true, GroupStrategy.OneForOne, policy.Limits, [.. _seats.Select(_ => policy)]);
    }

    private ITimer CreateTimer()
    {
        // The timer outlives the call that created the group, and must not keep its context.
        using (ExecutionContext.IsFlowSuppressed() ? default : ExecutionContext.SuppressFlow())
        {
            return _clock.Provider.CreateTimer(
                static state => ((WorkerGroup)state!).Post(new SupervisorInput.Tick()), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }
    }

    private void Arm()
    {
        var dueTime = Timeout.InfiniteTimeSpan;
        if (_machine.NextDue is { } due)
        {
            // Timers know whole milliseconds and cut off the rest: one that fires early would be armed for 0 ms again and again.
            var left = (due - _clock.Elapsed(_origin, _clock.Timestamp())).TotalMilliseconds;
            dueTime = TimeSpan.FromMilliseconds(Math.Ceiling(Math.Max(left, 0)));
        }

        _timer.Change(dueTime, Timeout.InfiniteTimeSpan);
    }

    private sealed class Message(SupervisorInput input, Seat? seat)
    {
        public SupervisorInput Input { get; } = input;

        public Seat? Seat { get; } = seat;

        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
