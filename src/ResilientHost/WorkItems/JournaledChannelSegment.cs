using ResilientHost.DeadLetters;

namespace ResilientHost.WorkItems;

/// <summary>One file of items, and beside it, once some of them are finished, a file with the numbers of those.</summary>
/// <remarks>Not thread-safe. Its items have consecutive numbers, and the first of them is the file's name.</remarks>
internal sealed class JournaledChannelSegment(string directory, long firstId)
{
    public const string Extension = ".journal";
    private const string FinishedExtension = ".finished";

    private readonly string _finishedPath = Path.Combine(directory, Name(firstId) + FinishedExtension);
    private readonly List<long> _unnoted = [];
    private AppendOnlyFile? _items;
    private AppendOnlyFile? _finished;

    public string ItemsPath { get; } = Path.Combine(directory, Name(firstId) + Extension);

    public long FirstId { get; } = firstId;

    public long LastId { get; private set; } = firstId - 1;

    /// <summary>Items that are not finished.</summary>
    public int Remaining { get; private set; }

    /// <summary>What both files take.</summary>
    public long Bytes { get; private set; }

    public bool IsBroken => _items is { IsBroken: true };

    /// <summary>What is in the file that a process before this one left.</summary>
    public List<JournaledChannelRecord> Load()
    {
        var finished = new HashSet<long>();
        foreach (var line in LineFile.Read(_finishedPath))
        {
            if (JournaledChannelLine.TryParse(line.Bytes.Span, out var id, out _))
            {
                finished.Add(id);
            }
        }

        var records = JournaledChannelRecord.Read(ItemsPath, FirstId, out var lastId);
        records.RemoveAll(record => finished.Contains(record.Id));
        LastId = lastId;
        Remaining = records.Count;
        Bytes = Length(ItemsPath) + Length(_finishedPath);
        return records;
    }

    /// <summary>Adds items, all or none.</summary>
    /// <param name="lines">The lines of the numbers from <see cref="LastId"/> + 1 on.</param>
    /// <param name="flushToDisk">Whether they outlive a loss of power.</param>
    public void Append(List<ReadOnlyMemory<byte>> lines, bool flushToDisk)
    {
        _items ??= AppendOnlyFile.Create(ItemsPath, flushToDisk);
        var before = _items.Length;
        _items.Append(lines);
        Bytes += _items.Length - before;
        LastId += lines.Count;
        Remaining += lines.Count;
    }

    /// <summary>An item is finished; <see cref="Note"/> makes that last.</summary>
    public void Finish(long id)
    {
        Remaining--;
        _unnoted.Add(id);
    }

    /// <summary>Writes down which items are finished. What cannot be written is kept for the next time: at worst such an item is there again after a restart.</summary>
    public void Note()
    {
        try
        {
            if (_finished is { IsBroken: true })
            {
                _finished.Dispose();
                _finished = null;
            }

            var lines = new List<ReadOnlyMemory<byte>>(_unnoted.Count + 1);
            if (_finished is null)
            {
                // The process before may have been killed within a line.
                _finished = AppendOnlyFile.Resume(_finishedPath, flushToDisk: false);
                lines.Add("\n"u8.ToArray());
            }

            foreach (var id in _unnoted)
            {
                lines.Add(JournaledChannelLine.Of(id));
            }

            var before = _finished.Length;
            _finished.Append(lines);
            Bytes += _finished.Length - before;
            _unnoted.Clear();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            _finished?.Dispose();
            _finished = null;
        }
    }

    public void CloseItems()
    {
        _items?.Dispose();
        _items = null;
    }

    public void Close()
    {
        CloseItems();
        if (_unnoted.Count > 0)
        {
            Note();
        }

        _finished?.Dispose();
        _finished = null;
    }

    /// <summary>Deletes both files, the items first: never are there items without the note that they are finished.</summary>
    public void Delete()
    {
        CloseItems();
        _finished?.Dispose();
        _finished = null;
        File.Delete(ItemsPath);
        File.Delete(_finishedPath);
    }

    /// <summary>Deletes the notes whose items are gone.</summary>
    public static void DeleteOrphans(string directory)
    {
        foreach (var file in Directory.GetFiles(directory, "*" + FinishedExtension))
        {
            if (!File.Exists(Path.ChangeExtension(file, Extension)))
            {
                File.Delete(file);
            }
        }
    }

    private static string Name(long id) => $"{id:D20}";

    private static long Length(string path) => new FileInfo(path) is { Exists: true } file ? file.Length : 0;
}
