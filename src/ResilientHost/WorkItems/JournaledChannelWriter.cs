using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Threading.Channels;

namespace ResilientHost.WorkItems;

/// <summary>Writes to a journaled channel: an item is written when it is in the file. Each that is written and not finished has one of the places.</summary>
internal sealed class JournaledChannelWriter<T>(
    JournaledChannelJournal<T> journal,
    JournaledChannelQueue<T> queue,
    SemaphoreSlim places,
    JsonTypeInfo<T> jsonTypeInfo,
    long maxBytes) : ChannelWriter<T>, IDisposable
{
    // Cancelled, never disposed: it has no timer, and a write may look at it at any time.
    private readonly CancellationTokenSource _completed = new();

    public override bool TryComplete(Exception? error = null)
    {
        if (!queue.TryComplete(error))
        {
            return false;
        }

        _completed.Cancel();
        return true;
    }

    public override bool TryWrite(T item)
    {
        if (queue.IsCompleted || !places.Wait(0, CancellationToken.None))
        {
            return false;
        }

        var isWritten = false;
        var isBegun = false;
        try
        {
            var write = new JournaledChannelWrite<T>(item, Serialize(item));
            isBegun = queue.TryBeginWrite();
            if (isBegun)
            {
                journal.AddAndWait(write);
                isWritten = write.Task.GetAwaiter().GetResult() is null;
            }

            return isWritten;
        }
        catch (ChannelClosedException)
        {
            return false;
        }
        finally
        {
            End(isBegun, isWritten);
        }
    }

    public override async ValueTask WriteAsync(T item, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var json = Serialize(item);
        if (!places.Wait(0, CancellationToken.None))
        {
            await UntilAsync(places.WaitAsync, cancellationToken);
        }

        var isWritten = false;
        var isBegun = false;
        try
        {
            isBegun = queue.TryBeginWrite();
            if (!isBegun)
            {
                throw new ChannelClosedException(queue.Error);
            }

            while (!isWritten)
            {
                var write = new JournaledChannelWrite<T>(item, json);
                journal.Add(write);

                // Not cancelled: the caller could not tell whether the item is written, and a write to a file ends by itself.
                var room = await write.Task;
                isWritten = room is null;
                if (room is not null)
                {
                    await UntilAsync(room.WaitAsync, cancellationToken);
                }
            }
        }
        finally
        {
            End(isBegun, isWritten);
        }
    }

    public override async ValueTask<bool> WaitToWriteAsync(CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            while (!queue.IsCompleted)
            {
                if (!places.Wait(0, CancellationToken.None))
                {
                    await UntilAsync(places.WaitAsync, cancellationToken);
                }

                places.Release();
                if (journal.Room is not { } room)
                {
                    return !queue.IsCompleted;
                }

                await UntilAsync(room.WaitAsync, cancellationToken);
            }
        }
        catch (ChannelClosedException)
        {
            // Told below, as other channels tell it.
        }

        return queue.Error is null ? false : throw queue.Error;
    }

    public void Dispose()
    {
        TryComplete();
        _completed.Cancel();
    }

    private byte[] Serialize(T item)
    {
        var json = JsonSerializer.SerializeToUtf8Bytes(item, jsonTypeInfo);
        return json.Length + JournaledChannelLine.Overhead <= maxBytes
            ? json
            : throw new InvalidOperationException($"An item of {json.Length} bytes does not fit into a journal of {maxBytes}: raise {nameof(JournaledChannelOptions)}.{nameof(JournaledChannelOptions.MaxBytes)}, or write smaller items.");
    }

    private async Task UntilAsync(Func<CancellationToken, Task> wait, CancellationToken cancellationToken)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _completed.Token);
        try
        {
            await wait(either.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new ChannelClosedException(queue.Error);
        }
        catch (OperationCanceledException exception)
        {
            throw new OperationCanceledException(exception.Message, exception, cancellationToken);
        }
    }

    private void End(bool isBegun, bool isWritten)
    {
        if (isBegun)
        {
            queue.EndWrite();
        }

        if (!isWritten)
        {
            places.Release();
        }
    }
}
