using System.Runtime.InteropServices;

namespace ResilientHost.CircuitBreaking;

/// <summary>What a window or a half-open era holds.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct WindowCounts(long Calls, long Failures, long SlowCalls);
