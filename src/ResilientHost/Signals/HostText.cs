namespace ResilientHost.Signals;

/// <summary>The one buffer that all of the kernel's files are read into, one after the other.</summary>
/// <remarks>Not thread-safe: for the sampler's thread. What is read is gone with the next reading.</remarks>
internal sealed class HostText
{
    private const int LargestFile = 16 * 1024 * 1024;

    private readonly byte[] _buffer = new byte[4096];

    /// <summary>The content of a file, as far as it fits; empty when it cannot be read.</summary>
    public ReadOnlySpan<byte> Of(IHostFile? file)
    {
        try
        {
            return file is null ? default : _buffer.AsSpan(0, file.Read(_buffer));
        }
        catch (Exception)
        {
            // What cannot be read is empty, and the parsers make "unknown" of that. The sampler must outlive everything that it reads.
            return default;
        }
    }

    /// <summary>The lines of a file of any length; empty when it cannot be read. For start-up: allocates.</summary>
    public static string[] Lines(IHostFiles files, string path)
    {
        try
        {
            using var file = files.TryOpen(path);
            for (var size = 16 * 1024; file is not null && size <= LargestFile; size *= 4)
            {
                var buffer = new byte[size];
                if (file.Read(buffer) is var length && length < size)
                {
                    return System.Text.Encoding.UTF8.GetString(buffer, 0, length).Split('\n', StringSplitOptions.RemoveEmptyEntries);
                }
            }
        }
        catch (Exception)
        {
            // As above: unknown.
        }

        return [];
    }
}
