using System.Text;
using ResilientHost.Signals;

namespace ResilientHost.Tests.Signals;

/// <summary>A kernel in memory: files that change, vanish and break.</summary>
internal sealed class FakeHost : IHostFiles
{
    private readonly Dictionary<string, byte[]> _files = new(StringComparer.Ordinal);
    private readonly Dictionary<string, FakeDirectory> _directories = new(StringComparer.Ordinal);

    public int Open { get; private set; }

    /// <summary>The content of a file; <see langword="null"/> makes it fail, or be missing for who has not opened it.</summary>
    public string? this[string path]
    {
        set
        {
            if (value is null)
            {
                _files.Remove(path);
            }
            else
            {
                _files[path] = Encoding.UTF8.GetBytes(value);
            }
        }
    }

    public FakeDirectory AddDirectory(string path) => _directories[path] = new FakeDirectory();

    public IHostFile? TryOpen(string path)
    {
        if (!_files.ContainsKey(path))
        {
            return null;
        }

        Open++;
        return new FakeFile(this, path);
    }

    public IHostDirectory? TryOpenDirectory(string path) => _directories.GetValueOrDefault(path);

    internal sealed class FakeDirectory : IHostDirectory
    {
        public Func<long> SizeIs { get; set; } = static () => -1;

        public long Size => SizeIs();

        public int Entries { get; set; }

        public int Counts { get; private set; }

        public int Count()
        {
            Counts++;
            return Entries;
        }

        public void Dispose()
        {
        }
    }

    private sealed class FakeFile(FakeHost host, string path) : IHostFile
    {
        private bool _closed;

        public int Read(Span<byte> buffer)
        {
            ObjectDisposedException.ThrowIf(_closed, this);
            var content = host._files.GetValueOrDefault(path) ?? throw new IOException("No such device");
            var length = Math.Min(content.Length, buffer.Length);
            content.AsSpan(0, length).CopyTo(buffer);
            return length;
        }

        public void Dispose()
        {
            host.Open -= _closed ? 0 : 1;
            _closed = true;
        }
    }
}
