using ResilientHost.Connections;

namespace ResilientHost.Tests.Connections;

/// <summary>A process that has as many descriptors left as it is told.</summary>
internal sealed class HandSetDescriptors : IHostDescriptors
{
    public int? Left { get; set; } = 900;

    public int Limit { get; set; } = 1024;

    public Exception? Error { get; set; }

    public DescriptorCount? Count() => Error is { } error ? throw error : Left is { } left ? new DescriptorCount(left, Limit) : null;
}
