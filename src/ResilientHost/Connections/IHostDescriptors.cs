using System.Runtime.InteropServices;

namespace ResilientHost.Connections;

/// <summary>How many file descriptors this process has left.</summary>
internal interface IHostDescriptors
{
    /// <summary>Counts anew; works with no descriptor left.</summary>
    /// <returns><see langword="null"/> where it cannot be known.</returns>
    DescriptorCount? Count();
}

/// <param name="Left">Descriptors that can still be opened; 0 or less: none.</param>
/// <param name="Limit">Descriptors that can be open at once.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct DescriptorCount(int Left, int Limit);
