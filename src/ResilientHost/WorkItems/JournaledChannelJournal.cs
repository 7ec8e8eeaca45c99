using System.Threading.Channels;
using ResilientHost.DeadLetters;

namespace ResilientHost.WorkItems;

/// <summary>Takes down what is written and what is finished, together with whatever else arrives at the time.</summary>
/// <remarks>Thread-safe.</remarks>
internal sealed class JournaledChannelJournal<T>
{
    private readonly JournaledChannelFiles _files;
    private readonly JournaledChannelQueue<T> _queue;
    private readonly GroupCommit<JournaledChannelEntry<T>> _commits;
    private readonly List<JournaledChannelWrite<T>> _writes = [];
    private readonly List<long> _finished = [];
    private readonly string _directory;
    private TaskCompletionSource? _room;
    private bool _isClosed;

    public JournaledChannelJournal(string directory, JournaledChannelFiles files, JournaledChannelQueue<T> queue)
    {
        _directory = directory;
        _files = files;
        _queue = queue;
        _commits = new GroupCommit<JournaledChannelEntry<T>>(Commit);
    }

    /// <summary>Ends when there may be room again; <see langword="null"/> while no write lacks any.</summary>
    public Task? Room => Volatile.Read(ref _room)?.Task;

    public void Add(JournaledChannelWrite<T> write) => _commits.Add(new(write, 0));

    public void AddAndWait(JournaledChannelWrite<T> write) => _commits.AddAndWait(new(write, 0));

    public void Finish(long id) => _commits.Add(new(null, id));

    /// <summary>Takes down what has arrived, and nothing after that.</summary>
    public void Close()
    {
        _commits.Commit();
        _commits.Exclusively(() =>
        {
            if (!_isClosed)
            {
                _isClosed = true;
                _files.Dispose();
                RoomMade();
            }
        });
    }

    private void Commit(List<JournaledChannelEntry<T>> batch)
    {
        _writes.Clear();
        _finished.Clear();
        foreach (var entry in batch)
        {
            if (entry.Write is not null)
            {
                _writes.Add(entry.Write);
            }
            else if (!_isClosed)
            {
                _finished.Add(entry.FinishedId);
            }
        }

        // What is finished makes room for what is written.
        if (_finished.Count > 0 && _files.Finish(_finished, isRoomWanted: _room is not null))
        {
            RoomMade();
        }

        for (var next = 0; next < _writes.Count;)
        {
            next += Write(next);
        }

        _writes.Clear();
    }

    private int Write(int start)
    {
        int count;
        long firstId;
        try
        {
            ChannelClosedIf(_isClosed);
            count = _files.Append(_writes, start, out firstId);
        }
        catch (Exception exception)
        {
            // One full disk fails all that wait for it; each of them may try again.
            var failure = exception is ChannelClosedException ? exception : new IOException($"The journal in '{_directory}' cannot be written: {exception.Message}", exception);
            for (var i = start; i < _writes.Count; i++)
            {
                _writes[i].TrySetException(failure);
            }

            return _writes.Count - start;
        }

        for (var i = 0; i < count; i++)
        {
            _queue.Add(firstId + i, _writes[start + i].Value);
            _writes[start + i].TrySetResult(null);
        }

        if (count > 0)
        {
            return count;
        }

        _room ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _writes[start].TrySetResult(_room.Task);
        return 1;
    }

    private void RoomMade()
    {
        _room?.TrySetResult();
        _room = null;
    }

    private static void ChannelClosedIf(bool isClosed)
    {
        if (isClosed)
        {
            throw new ChannelClosedException();
        }
    }
}
