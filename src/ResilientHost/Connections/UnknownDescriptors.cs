namespace ResilientHost.Connections;

/// <summary>Where there is no such limit, or no way to see it.</summary>
internal sealed class UnknownDescriptors : IHostDescriptors
{
    public DescriptorCount? Count() => null;
}
