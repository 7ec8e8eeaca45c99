using ResilientHost.Hosting;

namespace ResilientHost.DeadLetters;

/// <summary>Keeps letters in files: a letter is kept once its line is in the file, which outlives the process, and with <see cref="DeadLetterOptions.FlushToDisk"/> the machine's loss of power.</summary>
/// <remarks>Thread-safe; letters that arrive together are written together. Touches no file before the first letter.</remarks>
internal sealed class FileDeadLetterSink : IDeadLetterSink, IDisposable
{
    private readonly DeadLetterOptions _options;
    private readonly MonotonicClock _clock;
    private readonly DeadLetterMetrics? _metrics;
    private readonly GroupCommit<PendingLine> _commits;
    private readonly List<ReadOnlyMemory<byte>> _lines = [];
    private AppendOnlyFile? _file;
    private long _bytes;
    private bool _isDisposed;

    /// <param name="options">Its folder is taken as it is: a relative one belongs to the current directory.</param>
    /// <param name="clock">Names the files.</param>
    /// <param name="metrics">Counts what a channel could not read when it was opened: it has no worker yet that would.</param>
    public FileDeadLetterSink(DeadLetterOptions options, MonotonicClock clock, DeadLetterMetrics? metrics = null)
    {
        _options = options;
        _clock = clock;
        _metrics = metrics;
        _commits = new GroupCommit<PendingLine>(Commit);
        Folder = new DeadLetterFolder(Path.GetFullPath(options.Directory));
    }

    public DeadLetterFolder Folder { get; }

    /// <inheritdoc/>
    /// <exception cref="DeadLettersFullException">There is no room.</exception>
    /// <exception cref="IOException">The letter could not be written.</exception>
    public async ValueTask WriteAsync(DeadLetter letter, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        try
        {
            var pending = new PendingLine(DeadLetterJson.LineOf(letter, _options));
            _commits.Add(pending);

            // Not cancelled from here on: the caller could not tell whether the letter is kept, and a write to a file ends by itself.
            await pending.Task;
        }
        catch (Exception) when (letter.Reason == DeadLetterReason.Unreadable)
        {
            _metrics?.Failed(letter.Worker, letter.Source, letter.Reason);
            throw;
        }

        if (letter.Reason == DeadLetterReason.Unreadable)
        {
            _metrics?.Written(letter.Worker, letter.Source, letter.Reason);
        }
    }

    /// <summary>Writes no more to a file, so that it can be deleted.</summary>
    public void Release(string file) => _commits.Exclusively(() =>
    {
        if (_file?.Path == file)
        {
            Close();
        }
    });

    /// <summary>Writes what has arrived and closes the file; later letters are refused.</summary>
    public void Dispose()
    {
        _commits.Commit();
        _commits.Exclusively(() =>
        {
            _isDisposed = true;
            Close();
        });
    }

    private void Commit(List<PendingLine> batch)
    {
        for (var next = 0; next < batch.Count;)
        {
            var first = next;
            Exception? failure = null;
            try
            {
                MakeRoomFor(batch[next].Line.Length);
                _lines.Clear();
                var bytes = 0L;
                do
                {
                    bytes += batch[next].Line.Length;
                    _lines.Add(batch[next++].Line);
                }
                while (next < batch.Count && _file!.Length + bytes < _options.MaxFileBytes && _bytes + bytes + batch[next].Line.Length <= _options.MaxBytes);

                _file!.Append(_lines);
                _bytes += bytes;
            }
            catch (Exception exception)
            {
                next = Math.Max(next, first + 1);
                failure = exception is DeadLettersFullException or ObjectDisposedException
                    ? exception
                    : new IOException($"Dead letters cannot be written to '{Folder.Path}': {exception.Message}", exception);
            }

            for (var i = first; i < next; i++)
            {
                batch[i].End(failure);
            }
        }
    }

    private void MakeRoomFor(int bytes)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        if (_file is { IsBroken: true } || _file?.Length >= _options.MaxFileBytes)
        {
            Close();
        }

        if (_file is not null && _bytes + bytes <= _options.MaxBytes)
        {
            return;
        }

        // Others write to the folder too, and letters are removed from it: it is looked at whenever a file is begun, and before anything is refused.
        AppendOnlyFile.CreateFolder(Folder.Path);
        _bytes = Folder.Bytes();
        if (_bytes + bytes > _options.MaxBytes)
        {
            throw new DeadLettersFullException(
                $"The dead letters in '{Folder.Path}' take {_bytes} of the {_options.MaxBytes} bytes that they may: remove some ({nameof(DeadLetterJournal)}.{nameof(DeadLetterJournal.RemoveAsync)}), or raise DeadLetters:{nameof(DeadLetterOptions.MaxBytes)}.");
        }

        _file ??= AppendOnlyFile.Create(Folder.NewFile(_clock.UtcNow), _options.FlushToDisk);
    }

    private void Close()
    {
        _file?.Dispose();
        _file = null;
    }
}
