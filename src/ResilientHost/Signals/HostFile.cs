using Microsoft.Win32.SafeHandles;

namespace ResilientHost.Signals;

/// <summary>A file that is kept open and read from its start each time.</summary>
internal sealed class HostFile(SafeFileHandle handle) : IHostFile
{
    public int Read(Span<byte> buffer)
    {
        var total = 0;

        // The kernel makes such a file piece by piece, and may hand out less than there is.
        while (total < buffer.Length)
        {
            var read = RandomAccess.Read(handle, buffer[total..], total);
            if (read == 0)
            {
                break;
            }

            total += read;
        }

        return total;
    }

    public void Dispose() => handle.Dispose();
}
