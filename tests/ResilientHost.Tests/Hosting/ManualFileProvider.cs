using System.Text;
using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Primitives;

namespace ResilientHost.Tests.Hosting;

/// <summary>One file in memory whose watchers fire when a test says so, on the test's thread.</summary>
internal sealed class ManualFileProvider(string content) : IFileProvider
{
    private CancellationTokenSource _changed = new();
    private string _content = content;

    /// <summary>Saves the file and fires the watchers; returns what the configuration system threw, if it did.</summary>
    public Exception? Save(string content)
    {
        _content = content;
        try
        {
            Interlocked.Exchange(ref _changed, new CancellationTokenSource()).Cancel();
            return null;
        }
        catch (Exception error)
        {
            return error;
        }
    }

    public IFileInfo GetFileInfo(string subpath) => new MemoryFile(subpath, Encoding.UTF8.GetBytes(_content));

    public IDirectoryContents GetDirectoryContents(string subpath) => NotFoundDirectoryContents.Singleton;

    public IChangeToken Watch(string filter) => new CancellationChangeToken(_changed.Token);

    private sealed class MemoryFile(string name, byte[] bytes) : IFileInfo
    {
        public bool Exists => true;

        public bool IsDirectory => false;

        public DateTimeOffset LastModified => default;

        public long Length => bytes.Length;

        public string Name => name;

        public string? PhysicalPath => null;

        public Stream CreateReadStream() => new MemoryStream(bytes, writable: false);
    }
}
