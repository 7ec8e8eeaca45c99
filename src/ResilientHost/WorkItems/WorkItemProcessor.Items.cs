namespace ResilientHost.WorkItems;

/// <content>Items on their way in, into their order, and out again.</content>
internal sealed partial class WorkItemProcessor<T>
{
    private bool MayTake() =>
        _phase is Phase.Open or Phase.Draining && _unburied == 0 && _held.Count < _policy.MaxHeld && !_isExhausted && _sourceError is null && !_isWatching;

    private bool TryTake(CancellationToken watching)
    {
        if (!_source.TryTake(out var work))
        {
            _isWatching = true;
            _ = WatchAsync(watching);
            return false;
        }

        var item = new HeldItem<T>(work, this) { Failure = _ledger.TakeFailure(work.Id) };
        Hold(item);
        if (_policy.OrderBy is not { } orderBy)
        {
            Ready(item);
            return true;
        }

        try
        {
            EnterLane(item, new LaneKey(orderBy(work.Value)));
        }
        catch (Exception exception)
        {
            // An item whose key cannot be told cannot be put in its order; it is its own fault, and the others go on.
            item.Failure = new(exception, _clock.UtcNow, TraceId: null, IsFinal: true);
            Bury(item);
        }

        return true;
    }

    private void EnterLane(HeldItem<T> item, LaneKey key)
    {
        if (!_lanes.TryGetValue(key, out var lane))
        {
            lane = new(key) { IsBlocked = _ledger.IsBlocked(key) };
            _lanes.Add(key, lane);
        }

        item.Key = key;
        item.Lane = lane;
        if (lane.Current is null && !lane.IsBlocked)
        {
            lane.Current = item;
            Ready(item);
        }
        else
        {
            item.State = ItemState.Waiting;
            lane.Waiting.Enqueue(item);
        }
    }

    private void OnUnblocked()
    {
        foreach (var lane in _lanes.Values.Where(lane => lane.IsBlocked && !_ledger.IsBlocked(lane.Key)).ToList())
        {
            // The item that blocked them may be back in the source, and comes before them: all are taken again, in order.
            _lanes.Remove(lane.Key);
            while (lane.Waiting.TryDequeue(out var item))
            {
                GiveBack(item);
            }
        }
    }

    private void Ready(HeldItem<T> item)
    {
        item.State = ItemState.Waiting;
        _ready.Enqueue(item);
    }

    private void Hold(HeldItem<T> item)
    {
        _held.Add(item);
        Volatile.Write(ref _inFlight, _held.Count);
    }

    private void LetItemGo(HeldItem<T> item)
    {
        item.Timer?.Dispose();
        item.State = ItemState.Gone;
        if (item.SinkFailures > 0)
        {
            _unburied--;
        }

        _held.Remove(item);
        Volatile.Write(ref _inFlight, _held.Count);
        if (item.Lane is not { } lane || lane.Current != item)
        {
            return;
        }

        lane.Current = null;
        if (lane.Waiting.TryDequeue(out var next))
        {
            lane.Current = next;
            Ready(next);
        }
        else
        {
            _lanes.Remove(lane.Key);
        }
    }

    private void Finish(HeldItem<T> item)
    {
        if (item.TryClaim())
        {
            _source.Complete(item.Work);
        }

        LetItemGo(item);
        _ledger.EndOverdue(item);
    }

    private void GiveBack(HeldItem<T> item)
    {
        if (item.TryClaim())
        {
            _ledger.GiveBack(item);
        }

        LetItemGo(item);
        _ledger.EndOverdue(item);
    }
}
