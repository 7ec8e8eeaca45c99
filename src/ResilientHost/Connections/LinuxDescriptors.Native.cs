using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace ResilientHost.Connections;

internal sealed partial class LinuxDescriptors
{
    /// <summary>Calls of the C library. All arguments are blittable, so nothing is generated or copied for them.</summary>
    private static class Native
    {
        [DllImport("libc", EntryPoint = "getrlimit", ExactSpelling = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        public static extern int GetLimit(int resource, out Limits limits);

        [DllImport("libc", EntryPoint = "statx", ExactSpelling = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        public static extern int GetStatus(int directory, byte[] path, int flags, uint fields, out Status status);

        [DllImport("libc", EntryPoint = "fcntl", ExactSpelling = true, SetLastError = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        public static extern int Duplicate(SafeFileHandle descriptor, int command, int lowest);

        [DllImport("libc", EntryPoint = "close", ExactSpelling = true)]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        public static extern int Close(int descriptor);
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct Limits
    {
        public ulong First;
        public ulong Second;
    }

    // struct statx, the same on every architecture.
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct Status
    {
        [FieldOffset(40)]
        public ulong Size;
    }
}
