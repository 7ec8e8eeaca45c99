using Microsoft.Win32.SafeHandles;

namespace ResilientHost.DeadLetters;

/// <summary>A file that grows by whole lines. A line is either in it or not: what a failed write left behind is cut off, or the file is broken and takes no more.</summary>
/// <remarks>Not thread-safe. Readable by the process's user alone. It holds the file open, which keeps others from deleting it (<see cref="IsInUse"/>).</remarks>
internal sealed class AppendOnlyFile : IDisposable
{
    private readonly FileStream _stream;
    private readonly SafeFileHandle _handle;
    private readonly bool _flushToDisk;

    private AppendOnlyFile(FileStream stream, long length, bool flushToDisk)
    {
        _stream = stream;
        _handle = stream.SafeFileHandle;
        _flushToDisk = flushToDisk;
        Path = stream.Name;
        Length = length;
    }

    public string Path { get; }

    /// <summary>The bytes of the lines that are in it.</summary>
    public long Length { get; private set; }

    /// <summary>Whether it may end with what is not a line. A reader sees that; a further line would hide it.</summary>
    public bool IsBroken { get; private set; }

    /// <summary>Begins a file.</summary>
    /// <exception cref="IOException">It exists already, or cannot be made.</exception>
    public static AppendOnlyFile Create(string path, bool flushToDisk) => new(Open(path, FileMode.CreateNew), 0, flushToDisk);

    /// <summary>Goes on at the end of a file; begins it when there is none.</summary>
    /// <remarks>It may end with a line that was never finished: whoever goes on MUST begin with a line feed.</remarks>
    public static AppendOnlyFile Resume(string path, bool flushToDisk)
    {
        var stream = Open(path, FileMode.OpenOrCreate);
        return new AppendOnlyFile(stream, RandomAccess.GetLength(stream.SafeFileHandle), flushToDisk);
    }

    /// <summary>Writes to what is open already.</summary>
    internal static AppendOnlyFile Over(FileStream stream) => new(stream, 0, flushToDisk: false);

    /// <summary>Whether somebody writes to the file, in this process or another of this machine.</summary>
    public static bool IsInUse(string path)
    {
        try
        {
            using var probe = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None);
            return false;
        }
        catch (FileNotFoundException)
        {
            return false;
        }
        catch (IOException)
        {
            return true;
        }
    }

    /// <summary>Makes a folder that the process's user alone may look into. One that exists is left as it is.</summary>
    public static void CreateFolder(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(path);
        }
        else
        {
            Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    /// <summary>Adds lines, each of which ends with a line feed: all of them, or none.</summary>
    /// <exception cref="IOException">None of them is in the file, unless it is broken: then some may be.</exception>
    public void Append(IReadOnlyList<ReadOnlyMemory<byte>> lines)
    {
        try
        {
            RandomAccess.Write(_handle, lines, Length);
            if (_flushToDisk)
            {
                // Of a new file, this takes its folder's entry to the disk too on ext4, XFS and btrfs; .NET cannot open a folder to do so itself.
                RandomAccess.FlushToDisk(_handle);
            }
        }
        catch
        {
            CutOff();
            throw;
        }

        foreach (var line in lines)
        {
            Length += line.Length;
        }
    }

    public void Dispose() => _stream.Dispose();

    private static FileStream Open(string path, FileMode mode)
    {
        var options = new FileStreamOptions { Mode = mode, Access = FileAccess.Write, Share = FileShare.ReadWrite | FileShare.Delete, BufferSize = 0 };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        return new FileStream(path, options);
    }

    private void CutOff()
    {
        // After a failed flush the kernel may have dropped what it could not write and call the next flush a success: such a file is never trusted again.
        IsBroken = _flushToDisk;
        try
        {
            RandomAccess.SetLength(_handle, Length);
        }
        catch (Exception)
        {
            IsBroken = true;
        }
    }
}
