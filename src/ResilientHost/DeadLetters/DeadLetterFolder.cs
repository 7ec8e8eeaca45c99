using System.Text;

namespace ResilientHost.DeadLetters;

/// <summary>The files of a journal of dead letters: <c>*.jsonl</c> with a letter a line, and beside each, once a letter of it was removed, <c>*.removed</c> with the ids of those.</summary>
/// <remarks>Each process writes files of its own, so that several may share a folder. Keeps nothing in memory.</remarks>
internal sealed class DeadLetterFolder(string path)
{
    private const string Letters = ".jsonl";
    private const string Removed = ".removed";

    public string Path { get; } = path;

    /// <summary>The files with letters, the oldest first.</summary>
    public string[] Files()
    {
        try
        {
            var files = Directory.GetFiles(Path, "*" + Letters);
            Array.Sort(files, StringComparer.Ordinal);
            return files;
        }
        catch (DirectoryNotFoundException)
        {
            return [];
        }
    }

    public string NewFile(DateTimeOffset now) => System.IO.Path.Combine(Path, DeadLetterId.Next(now) + Letters);

    /// <summary>What all files take. Also deletes lists of removed letters whose letters are gone.</summary>
    public long Bytes()
    {
        var bytes = 0L;
        foreach (var file in new DirectoryInfo(Path).EnumerateFiles())
        {
            if (file.Extension == Removed && !File.Exists(System.IO.Path.ChangeExtension(file.FullName, Letters)))
            {
                file.Delete();
            }
            else if (file.Extension is Letters or Removed)
            {
                bytes += SizeOf(file);
            }
        }

        return bytes;
    }

    /// <summary>The letters of a file that were not removed. A whole line that is no letter is told as one that could not be read.</summary>
    public static IEnumerable<DeadLetter> Read(string file)
    {
        var removed = RemovedFrom(file);
        foreach (var line in LineFile.Read(file))
        {
            if (!line.IsWhole)
            {
                // Its process ended, or failed, before the letter was kept: whoever wrote it was never told that it is.
                yield break;
            }

            var letter = DeadLetterJson.Parse(line.Bytes.Span) ?? Unreadable(file, line);
            if (!removed.Contains(letter.Id))
            {
                yield return letter;
            }
        }
    }

    /// <summary>Notes that a letter is removed.</summary>
    public static void Remove(string file, string id)
    {
        var list = System.IO.Path.ChangeExtension(file, Removed);
        using var notes = AppendOnlyFile.Resume(list, flushToDisk: false);
        notes.Append([Encoding.UTF8.GetBytes($"\n{id}\n")]);
    }

    /// <summary>Deletes a file and its list, in the order that leaves no letter without the note that it was removed.</summary>
    public static void Delete(string file)
    {
        File.Delete(file);
        File.Delete(System.IO.Path.ChangeExtension(file, Removed));
    }

    private static HashSet<string> RemovedFrom(string file) =>
        LineFile.Read(System.IO.Path.ChangeExtension(file, Removed)).Where(line => line.IsWhole).Select(line => Encoding.UTF8.GetString(line.Bytes.Span)).ToHashSet();

    private static DeadLetter Unreadable(string file, Line line) => new()
    {
        Id = $"{System.IO.Path.GetFileNameWithoutExtension(file)}@{line.Position}",
        Worker = "",
        Source = System.IO.Path.GetFileName(file),
        Item = Encoding.UTF8.GetString(line.Bytes.Span),
        ItemType = "",
        IsTruncated = true,
        Reason = DeadLetterReason.Unreadable,
        At = new DateTimeOffset(File.GetLastWriteTimeUtc(file)),
    };

    private static long SizeOf(FileInfo file)
    {
        try
        {
            return file.Length;
        }
        catch (FileNotFoundException)
        {
            return 0;
        }
    }
}
