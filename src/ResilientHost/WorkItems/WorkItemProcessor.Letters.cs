namespace ResilientHost.WorkItems;

/// <content>Items that go to the dead letters.</content>
internal sealed partial class WorkItemProcessor<T>
{
    private static readonly TimeSpan FirstBurialDelay = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan LongestBurialDelay = TimeSpan.FromSeconds(30);

    public bool IsBlocked => Volatile.Read(ref _unburied) > 0;

    private void Bury(HeldItem<T> item)
    {
        item.State = ItemState.Burying;
        _burying++;

        // On the pool: a sink that blocks holds up nobody but its letter.
        _ = Task.Run(() => BuryAsync(item), CancellationToken.None);
    }

    private async Task BuryAsync(HeldItem<T> item)
    {
        var kind = MessageKind.NotBuried;
        try
        {
            await _writer.WriteAsync(item.Work with { Attempts = item.Attempts }, DeadLetterReason.Poison, item.Failure, _aborted);
            kind = MessageKind.Buried;
        }
        catch (OperationCanceledException) when (_aborted.IsCancellationRequested)
        {
            // It goes back to the source, and whoever gets it next writes the letter.
        }
        catch (Exception exception)
        {
            _writer.NotKept(item.Work, DeadLetterReason.Poison, isFirst: item.SinkFailures == 0, exception);
            _context.Worker.KeepFailure(exception);
        }
        finally
        {
            Post(kind, item);
            if (Volatile.Read(ref _hasEnded))
            {
                EndLate();
            }
        }
    }

    private void OnBuried(HeldItem<T> item)
    {
        if (_held.Contains(item))
        {
            Finish(item);
        }
    }

    private void OnNotBuried(HeldItem<T> item)
    {
        if (!_held.Contains(item))
        {
            return;
        }

        if (_phase == Phase.Leaving)
        {
            GiveBack(item);
            return;
        }

        if (item.SinkFailures++ == 0)
        {
            _unburied++;
        }

        Delay(item, ItemState.Unburied, MessageKind.BurialDue, WorkItemPolicy<T>.Delay(FirstBurialDelay, 2, LongestBurialDelay, 0.2, item.SinkFailures, _context.Shared.Random));
    }
}
