using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace ResilientHost.Signals;

/// <summary>A directory asked through the C library, because the framework's enumeration allocates for each entry and needs a free descriptor.</summary>
/// <remarks>For one thread, which another may surprise with <see cref="Dispose"/>. Where there is no such library everything is unknown.</remarks>
internal sealed class HostDirectory(string path) : IHostDirectory
{
    private const int CurrentDirectory = -100;
    private const uint SizeWanted = 0x200;
    private const int SizeOffset = 40;

    private readonly byte[] _path = Encoding.UTF8.GetBytes(path + '\0');
    private readonly byte[] _status = new byte[256];
    private readonly Lock _gate = new();
    private nint _stream;
    private bool _disposed;

    public long Size
    {
        get
        {
            try
            {
                // statx, because its structure is the same on every architecture.
                return Native.Status(CurrentDirectory, _path, 0, SizeWanted, _status) == 0
                    && (BinaryPrimitives.ReadUInt32LittleEndian(_status) & SizeWanted) != 0
                        ? BinaryPrimitives.ReadInt64LittleEndian(_status.AsSpan(SizeOffset))
                        : -1;
            }
            catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
            {
                return -1;
            }
        }
    }

    public int Count()
    {
        // A host that is disposed without having been stopped closes the list while the sampler reads it: to the C library that is memory that was freed.
        lock (_gate)
        {
            return CountUnderLock();
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
            if (_stream != 0)
            {
                _ = Native.Close(_stream);
                _stream = 0;
            }
        }
    }

    private int CountUnderLock()
    {
        try
        {
            if (_disposed || (_stream == 0 && (_stream = Native.Open(_path)) == 0))
            {
                return -1;
            }

            Native.Rewind(_stream);
            var entries = -2; // "." and ".."
            while (Native.Next(_stream) != 0)
            {
                entries++;
            }

            return Math.Max(entries, -1);
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            return -1;
        }
    }

    private static class Native
    {
        [DllImport("libc", EntryPoint = "statx")]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        internal static extern int Status(int directory, byte[] path, int flags, uint mask, byte[] status);

        [DllImport("libc", EntryPoint = "opendir")]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        internal static extern nint Open(byte[] path);

        [DllImport("libc", EntryPoint = "rewinddir")]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        internal static extern void Rewind(nint stream);

        [DllImport("libc", EntryPoint = "readdir")]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        internal static extern nint Next(nint stream);

        [DllImport("libc", EntryPoint = "closedir")]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        internal static extern int Close(nint stream);
    }
}
