namespace ResilientHost.Tests.Connections;

/// <summary>A service level that is what it is set to.</summary>
internal sealed class HandSetLevel : IServiceLevel
{
    public event Action<ServiceLevelChange>? Changed
    {
        add { }
        remove { }
    }

    public ServiceLevel Current { get; set; }

    public DegradationMode Mode { get; set; } = DegradationMode.Enforce;

    public ServiceLevelSnapshot Snapshot() => throw new NotSupportedException();

    public void Override(ServiceLevel level, TimeSpan? expiresIn = null, string? by = null) => Current = level;

    public void ClearOverride(string? by = null) => Current = ServiceLevel.Normal;

    public ValueTask WaitUntilAtMostAsync(ServiceLevel highest, CancellationToken cancellationToken = default) => throw new NotSupportedException();
}
