using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using System.Threading.Channels;
using ResilientHost.DeadLetters;
using ResilientHost.Hosting;
using ResilientHost.WorkItems;

namespace ResilientHost;

/// <summary>A bounded channel whose items survive the process: an item is written once it is in a file, and stays there until it is finished.</summary>
/// <typeparam name="T">The items; kept as JSON.</typeparam>
/// <remarks>
/// <para>
/// Thread-safe, for any number of writers and readers. <c>WriteAsync</c> completes when the item is in the journal, and throws <see cref="IOException"/> when it could not be written; an item whose
/// write failed or was interrupted may be there nevertheless. It waits while there is no place (<see cref="JournaledChannelOptions.Capacity"/>) or no room
/// (<see cref="JournaledChannelOptions.MaxBytes"/>); its token ends the waiting, never a write that has begun. <c>TryWrite</c> writes on the calling thread, and is <see langword="false"/> when it
/// would have to wait.
/// </para>
/// <para>
/// Processed with <c>WorkerContext.ProcessAsync</c>, an item is finished when its handler succeeded or its dead letter is kept: at least once, so handlers MUST cope with an item that they have seen.
/// Read through <c>Reader</c> by anything else, an item is finished when it is read, which is noted soon after: once, unless the process is killed before the note is written. What is not finished when the process ends is there again, in the order of writing, when the next one opens the
/// channel; all of it is then held in memory, even when that is more than the capacity.
/// </para>
/// <para>
/// A folder belongs to one channel of one process at a time. Completing the writer is not kept: a channel that is opened again takes items again.
/// </para>
/// </remarks>
public sealed class JournaledChannel<T> : Channel<T>, IWorkItemSource<T>, IDisposable, IAsyncDisposable
{
    private readonly JournaledChannelQueue<T> _queue = new();
    private readonly JournaledChannelJournal<T> _journal;
    private readonly JournaledChannelWriter<T> _writer;
    private readonly SemaphoreSlim _places;
    private int _surplus;
    private int _isTold;

    /// <summary>Opens the channel of a folder, with what was not finished in it.</summary>
    /// <param name="directory">The folder, created when it is not there; relative to the current directory. Readable by the process's user alone, if it is created here.</param>
    /// <param name="options">The bounds; <see langword="null"/>: the defaults.</param>
    /// <exception cref="ArgumentException">The folder's name is empty.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of its bounds.</exception>
    /// <exception cref="IOException">The channel is open already, in this process or another one; or its files cannot be read.</exception>
    [RequiresUnreferencedCode("Items are serialized by reflection. Use the constructor that takes a JsonTypeInfo.")]
    [RequiresDynamicCode("Items are serialized by reflection. Use the constructor that takes a JsonTypeInfo.")]
    public JournaledChannel(string directory, JournaledChannelOptions? options = null)
        : this(directory, (JsonTypeInfo<T>)JsonSerializerOptions.Default.GetTypeInfo(typeof(T)), options)
    {
    }

    /// <summary>Opens the channel of a folder, with what was not finished in it.</summary>
    /// <param name="directory">The folder, created when it is not there; relative to the current directory. Readable by the process's user alone, if it is created here.</param>
    /// <param name="jsonTypeInfo">How an item becomes JSON and an item again.</param>
    /// <param name="options">The bounds; <see langword="null"/>: the defaults.</param>
    /// <exception cref="ArgumentException">The folder's name is empty.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of its bounds.</exception>
    /// <exception cref="IOException">The channel is open already, in this process or another one; or its files cannot be read.</exception>
    public JournaledChannel(string directory, JsonTypeInfo<T> jsonTypeInfo, JournaledChannelOptions? options = null)
        : this(directory, jsonTypeInfo, options ?? new(), new MonotonicClock(null))
    {
    }

    internal JournaledChannel(string directory, JsonTypeInfo<T> jsonTypeInfo, JournaledChannelOptions options, MonotonicClock clock)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(directory);
        ArgumentNullException.ThrowIfNull(jsonTypeInfo);
        options.Validate();
        Directory = Path.GetFullPath(directory);
        var files = new JournaledChannelFiles(Directory, options);
        try
        {
            _journal = new JournaledChannelJournal<T>(Directory, files, _queue);
            var unreadable = Replay(files.Load(), jsonTypeInfo);
            var unfinished = _queue.Count + unreadable.Count;
            _places = new SemaphoreSlim(Math.Max(options.Capacity - unfinished, 0), int.MaxValue);
            _surplus = Math.Max(unfinished - options.Capacity, 0);
            Bury(unreadable, options, clock);
        }
        catch
        {
            files.Dispose();
            throw;
        }

        _writer = new JournaledChannelWriter<T>(_journal, _queue, _places, jsonTypeInfo, options.MaxBytes);
        Writer = _writer;
        Reader = new JournaledChannelReader<T>(this, _queue);
    }

    /// <summary>The folder.</summary>
    public string Directory { get; }

    /// <summary>Records that could not be read when the channel was opened, and that the dead letters did not take: they stay in the journal and are offered again when it is opened the next time.</summary>
    public int UnreadableCount { get; private set; }

    /// <summary>Records that could not be read when the channel was opened, and that are dead letters.</summary>
    internal int BuriedCount { get; private set; }

    /// <summary>Whether what could not be read is still to be told; true once.</summary>
    internal bool HasNews() => UnreadableCount + BuriedCount > 0 && Interlocked.Exchange(ref _isTold, 1) == 0;

    bool IWorkItemSource<T>.IsDurable => true;

    /// <summary>Closes the files. Items that are not finished stay in the journal; the writer is completed, and the reader ends.</summary>
    public void Dispose()
    {
        _writer.Dispose();
        _queue.Close();
        _journal.Close();
    }

    /// <summary>As <see cref="Dispose"/>, off the calling thread.</summary>
    /// <returns>Complete when the files are closed.</returns>
    public ValueTask DisposeAsync() => new(Task.Run(Dispose));

    ValueTask<bool> IWorkItemSource<T>.WaitAsync(CancellationToken cancellationToken) => _queue.WaitAsync(cancellationToken);

    bool IWorkItemSource<T>.TryTake(out WorkItem<T> item) => _queue.TryTake(out item);

    void IWorkItemSource<T>.Complete(in WorkItem<T> item)
    {
        _journal.Finish(item.Id);
        _queue.Finished();
        FreePlace();
    }

    void IWorkItemSource<T>.GiveBack(in WorkItem<T> item) => _queue.GiveBack(item);

    private List<(long Id, byte[] Bytes, Exception? Why)> Replay(List<JournaledChannelRecord> records, JsonTypeInfo<T> jsonTypeInfo)
    {
        var unreadable = new List<(long Id, byte[] Bytes, Exception? Why)>();
        foreach (var record in records)
        {
            if (record.IsDamaged)
            {
                unreadable.Add((record.Id, record.Bytes, null));
                continue;
            }

            try
            {
                _queue.Add(record.Id, JsonSerializer.Deserialize(record.Bytes, jsonTypeInfo)!);
            }
            catch (Exception exception)
            {
                // A converter of the application may throw anything.
                unreadable.Add((record.Id, record.Bytes, exception));
            }
        }

        return unreadable;
    }

    private void Bury(List<(long Id, byte[] Bytes, Exception? Why)> unreadable, JournaledChannelOptions options, MonotonicClock clock)
    {
        if (unreadable.Count == 0)
        {
            return;
        }

        using var own = options.DeadLetters is null ? new FileDeadLetterSink(new() { Directory = Path.Combine(Directory, "dead-letters") }, clock) : null;
        var sink = options.DeadLetters ?? own!;
        foreach (var (id, bytes, why) in unreadable)
        {
            try
            {
                // Here, for an exception of the application's may throw when its message is asked for.
                var letter = new DeadLetter
                {
                    Id = DeadLetterId.Next(clock.UtcNow),
                    Worker = "",
                    Source = Path.GetFileName(Directory),
                    Item = Encoding.UTF8.GetString(bytes),
                    ItemType = typeof(T).FullName ?? typeof(T).Name,
                    IsTruncated = why is null,
                    Reason = DeadLetterReason.Unreadable,
                    ExceptionType = why?.GetType().FullName,
                    ExceptionMessage = why?.Message,
                    At = clock.UtcNow,
                };

                // A channel is opened where nothing can be awaited: as a service is made.
                Task.Run(() => sink.WriteAsync(letter).AsTask()).GetAwaiter().GetResult();
                _journal.Finish(id);
                BuriedCount++;
                FreePlace();
            }
            catch (Exception)
            {
                // It stays in the journal, but must not take the place of an item that can be read.
                UnreadableCount++;
                FreePlace();
            }
        }
    }

    private void FreePlace()
    {
        int surplus;
        do
        {
            surplus = Volatile.Read(ref _surplus);
            if (surplus == 0)
            {
                _places.Release();
                return;
            }
        }
        while (Interlocked.CompareExchange(ref _surplus, surplus - 1, surplus) != surplus);
    }
}
