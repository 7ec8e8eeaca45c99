using ResilientHost.DeadLetters;

namespace ResilientHost.WorkItems;

/// <summary>The files of a journaled channel.</summary>
/// <remarks>Not thread-safe. Holds a lock on the folder, which the kernel takes back from a process that is killed.</remarks>
internal sealed class JournaledChannelFiles : IDisposable
{
    private readonly string _directory;
    private readonly JournaledChannelOptions _options;
    private readonly FileStream _lock;
    private readonly List<JournaledChannelSegment> _segments = [];
    private readonly HashSet<JournaledChannelSegment> _touched = [];
    private readonly List<ReadOnlyMemory<byte>> _lines = [];
    private JournaledChannelSegment? _active;
    private long _nextId = 1;
    private long _bytes;

    /// <exception cref="IOException">The folder is open already, or cannot be used.</exception>
    public JournaledChannelFiles(string directory, JournaledChannelOptions options)
    {
        _directory = directory;
        _options = options;
        AppendOnlyFile.CreateFolder(directory);
        try
        {
            _lock = new FileStream(Path.Combine(directory, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException exception)
        {
            throw new IOException(
                $"The journal in '{directory}' cannot be opened: it is open already, in this process or another one. Give each channel, and each replica of the service, a folder of its own. ({exception.Message})",
                exception);
        }
    }

    /// <summary>What an earlier process left unfinished, in the order of writing.</summary>
    public List<JournaledChannelRecord> Load()
    {
        var records = new List<JournaledChannelRecord>();
        JournaledChannelSegment.DeleteOrphans(_directory);
        foreach (var path in Directory.GetFiles(_directory, "*" + JournaledChannelSegment.Extension).Order(StringComparer.Ordinal))
        {
            if (!long.TryParse(Path.GetFileNameWithoutExtension(path), out var firstId))
            {
                throw new IOException($"'{path}' is not a file of this journal: its name is not a number. Move it away.");
            }

            var segment = new JournaledChannelSegment(_directory, firstId);
            var unfinished = segment.Load();
            _nextId = Math.Max(_nextId, segment.LastId + 1);
            if (unfinished.Count == 0)
            {
                segment.Delete();
                continue;
            }

            records.AddRange(unfinished);
            _segments.Add(segment);
            _bytes += segment.Bytes;
        }

        return records;
    }

    /// <summary>Adds the first of some items, as many as there is room for.</summary>
    /// <param name="json">The items from which on.</param>
    /// <param name="start">The first to add.</param>
    /// <param name="firstId">The number of the first; the others' follow.</param>
    /// <returns>How many were added; 0 if there is no room.</returns>
    /// <exception cref="IOException">None was added.</exception>
    public int Append<T>(List<JournaledChannelWrite<T>> json, int start, out long firstId)
    {
        if (_active is not null && (_active.IsBroken || _active.Bytes >= _options.MaxFileBytes))
        {
            Retire();
        }

        if (!HasRoomFor(json[start].Json.Length) && _active is { Remaining: 0 })
        {
            Retire();
        }

        firstId = _nextId;
        _lines.Clear();
        var bytes = 0L;
        for (var i = start; i < json.Count && (i == start || (_active?.Bytes ?? 0) + bytes < _options.MaxFileBytes) && HasRoomFor(bytes + json[i].Json.Length); i++)
        {
            var line = JournaledChannelLine.Of(firstId + _lines.Count, json[i].Json);
            _lines.Add(line);
            bytes += line.Length;
        }

        if (_lines.Count > 0)
        {
            Append();
        }

        return _lines.Count;
    }

    /// <summary>Items are finished.</summary>
    /// <param name="ids">Each once.</param>
    /// <param name="isRoomWanted">Whether a write waits for room.</param>
    /// <returns>Whether a file was deleted.</returns>
    public bool Finish(List<long> ids, bool isRoomWanted)
    {
        foreach (var id in ids)
        {
            if (SegmentOf(id) is { } segment)
            {
                segment.Finish(id);
                _touched.Add(segment);
            }
        }

        var before = _segments.Count;
        foreach (var segment in _touched)
        {
            if (segment.Remaining == 0 && segment != _active)
            {
                Delete(segment);
            }
            else if (segment.Remaining == 0 && (isRoomWanted || segment.Bytes >= _options.MaxFileBytes))
            {
                Retire();
            }
            else
            {
                var noted = segment.Bytes;
                segment.Note();
                _bytes += segment.Bytes - noted;
            }
        }

        _touched.Clear();
        return _segments.Count < before;
    }

    public void Dispose()
    {
        if (_active is not null)
        {
            Retire();
        }

        foreach (var segment in _segments)
        {
            segment.Close();
        }

        _lock.Dispose();
    }

    private bool HasRoomFor(long bytes) => _bytes + bytes + JournaledChannelLine.Overhead <= _options.MaxBytes;

    private void Append()
    {
        if (_active is null)
        {
            _active = new JournaledChannelSegment(_directory, _nextId);
            _segments.Add(_active);
        }

        var before = _active.Bytes;
        try
        {
            _active.Append(_lines, _options.FlushToDisk);
        }
        catch
        {
            // What could not be cut off again may be read as items after a restart. Their numbers stay theirs.
            if (_active.IsBroken)
            {
                _nextId += _lines.Count;
            }

            throw;
        }

        _nextId += _lines.Count;
        _bytes += _active.Bytes - before;
    }

    private void Retire()
    {
        var segment = _active!;
        _active = null;
        segment.CloseItems();
        if (segment.Remaining == 0)
        {
            Delete(segment);
        }
    }

    private void Delete(JournaledChannelSegment segment)
    {
        try
        {
            segment.Delete();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Its items must not be back after a restart; the folder's file is deleted then.
            segment.Note();
            segment.Close();
        }

        _bytes -= segment.Bytes;
        _segments.Remove(segment);
    }

    private JournaledChannelSegment? SegmentOf(long id)
    {
        if (_segments.Count == 0)
        {
            return null;
        }

        var (low, high) = (0, _segments.Count - 1);
        while (low < high)
        {
            var middle = (low + high + 1) / 2;
            if (_segments[middle].FirstId <= id)
            {
                low = middle;
            }
            else
            {
                high = middle - 1;
            }
        }

        return _segments[low].FirstId <= id && id <= _segments[low].LastId ? _segments[low] : null;
    }
}
