namespace ResilientHost.Signals;

/// <summary>The kernel's files, behind a root that tests point at recorded ones.</summary>
internal interface IHostFiles
{
    /// <summary>Opens a file and keeps it open; <see langword="null"/> when it is not there or may not be read.</summary>
    /// <param name="path">Absolute path as the kernel knows it, such as <c>/proc/self/limits</c>.</param>
    IHostFile? TryOpen(string path);

    /// <summary>Remembers a directory; <see langword="null"/> when it is not there.</summary>
    /// <param name="path">Absolute path as the kernel knows it.</param>
    IHostDirectory? TryOpenDirectory(string path);
}

/// <summary>An open file of the kernel's, which has new content at each reading.</summary>
/// <remarks>Stays open between readings: reading needs no free descriptor, so that the signals go on when there is none left.</remarks>
internal interface IHostFile : IDisposable
{
    /// <summary>Reads from the start, as much as fits; allocates nothing.</summary>
    /// <returns>The number of bytes; 0 when nothing can be read.</returns>
    /// <exception cref="IOException">The kernel refused.</exception>
    int Read(Span<byte> buffer);
}

/// <summary>A directory of the kernel's whose entries are counted.</summary>
internal interface IHostDirectory : IDisposable
{
    /// <summary>Its size as the file system tells it, which for a list of descriptors is their number on newer kernels; -1 when unknown. Takes no descriptor.</summary>
    long Size { get; }

    /// <summary>Counts its entries one by one; -1 when that fails.</summary>
    int Count();
}
