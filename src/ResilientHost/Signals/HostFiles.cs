namespace ResilientHost.Signals;

/// <summary>The files of the machine, or of a folder that stands in for it.</summary>
/// <param name="root">What <c>/</c> means.</param>
internal sealed class HostFiles(string root = "/") : IHostFiles
{
    public IHostFile? TryOpen(string path)
    {
        try
        {
            // Deletion must stay possible: a cgroup may go away while its files are open.
            return new HostFile(File.OpenHandle(Full(path), FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            return null;
        }
    }

    public IHostDirectory? TryOpenDirectory(string path) =>
        Directory.Exists(Full(path)) ? new HostDirectory(Full(path)) : null;

    private string Full(string path) => Path.Join(root, path);
}
