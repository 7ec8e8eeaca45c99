using System.Runtime.CompilerServices;
using ResilientHost.DeadLetters;

namespace ResilientHost;

/// <summary>The letters that the journal in files holds: to look at, to hand in again, to remove.</summary>
/// <remarks>
/// Registered as a singleton by <c>AddResilienceLayers</c>, or made for a folder by a tool. Thread-safe, also while letters are written. Room comes back a file at a time: once each letter of it
/// is removed. At most one process at a time should remove: a note of another that is made in the same moment may get lost, and its letter is back.
/// </remarks>
public sealed class DeadLetterJournal
{
    private readonly DeadLetterFolder _folder;
    private readonly FileDeadLetterSink? _writer;
    private readonly Lock _gate = new();

    // Letters are removed in the order in which they are read, mostly: the file that had the last one has the next.
    private string? _lastFile;
    private HashSet<string> _lastIds = [];

    /// <summary>Opens the letters of a folder, which need not exist yet.</summary>
    /// <param name="directory">The folder: <see cref="DeadLetterOptions.Directory"/> of the service that writes there.</param>
    /// <exception cref="ArgumentException"><paramref name="directory"/> is empty.</exception>
    public DeadLetterJournal(string directory)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(directory);
        _folder = new DeadLetterFolder(Path.GetFullPath(directory));
    }

    internal DeadLetterJournal(FileDeadLetterSink writer)
    {
        _folder = writer.Folder;
        _writer = writer;
    }

    /// <summary>Reads the letters, the oldest file first.</summary>
    /// <remarks>
    /// A letter that is written or removed meanwhile may be among them or not. A line that is damaged is told as a letter with <see cref="DeadLetterReason.Unreadable"/> whose
    /// <see cref="DeadLetter.Item"/> is the line and whose <see cref="DeadLetter.Source"/> is the file; the unfinished last line of a process that was killed is not a letter.
    /// </remarks>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <returns>The letters that were not removed.</returns>
    /// <exception cref="IOException">A file cannot be read.</exception>
    public async IAsyncEnumerable<DeadLetter> ReadAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        // A file may be large, and its reading blocks: not on the thread of whoever begins.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        foreach (var file in _folder.Files())
        {
            foreach (var letter in DeadLetterFolder.Read(file))
            {
                cancellationToken.ThrowIfCancellationRequested();
                yield return letter;
            }
        }
    }

    /// <summary>Removes a letter, when its item is handed in again or not wanted any more.</summary>
    /// <param name="id"><see cref="DeadLetter.Id"/>.</param>
    /// <param name="cancellationToken">Ends the search.</param>
    /// <returns>Whether the letter was there.</returns>
    /// <exception cref="IOException">The removal cannot be noted; the letter stays.</exception>
    public Task<bool> RemoveAsync(string id, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(id);
        return Task.Run(
            () =>
            {
                lock (_gate)
                {
                    return Remove(id, cancellationToken);
                }
            },
            cancellationToken);
    }

    private bool Remove(string id, CancellationToken cancellationToken)
    {
        if (_lastFile is null || !_lastIds.Contains(id) || !File.Exists(_lastFile))
        {
            if (!Find(id, cancellationToken))
            {
                return false;
            }
        }

        DeadLetterFolder.Remove(_lastFile!, id);
        _lastIds.Remove(id);
        if (_lastIds.Count == 0)
        {
            DeleteIfEmpty(_lastFile!);
            _lastFile = null;
        }

        return true;
    }

    private bool Find(string id, CancellationToken cancellationToken)
    {
        foreach (var file in _folder.Files())
        {
            cancellationToken.ThrowIfCancellationRequested();
            var ids = DeadLetterFolder.Read(file).Select(letter => letter.Id).ToHashSet();
            if (ids.Contains(id))
            {
                (_lastFile, _lastIds) = (file, ids);
                return true;
            }

            if (ids.Count == 0)
            {
                // Its letters were removed while its process wrote to it.
                DeleteIfEmpty(file);
            }
        }

        return false;
    }

    private void DeleteIfEmpty(string file)
    {
        _writer?.Release(file);

        // Looked at again once nobody writes to it: no process takes up a file that it did not begin.
        if (!AppendOnlyFile.IsInUse(file) && !DeadLetterFolder.Read(file).Any())
        {
            DeadLetterFolder.Delete(file);
        }
    }
}
