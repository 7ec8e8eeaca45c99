using Microsoft.Extensions.DependencyInjection.Extensions;
using ResilientHost.Connections;
using ResilientHost.Hosting;
using ResilientHost.Telemetry;

namespace ResilientHost.IntegrationTests.Connections;

/// <summary>A host whose level and descriptors are set by hand, for the door alone.</summary>
internal sealed class HandSetHost : IHostDescriptors, IServiceLevel
{
    public event Action<ServiceLevelChange>? Changed
    {
        add { }
        remove { }
    }

    public int Left { get; set; } = 900;

    public ServiceLevel Current { get; set; }

    public DegradationMode Mode { get; set; } = DegradationMode.Enforce;

    public ConnectionOptions Options { get; } = new();

    public DescriptorCount? Count() => new DescriptorCount(Left, 1024);

    public ServiceLevelSnapshot Snapshot() => throw new NotSupportedException();

    public void Override(ServiceLevel level, TimeSpan? expiresIn = null, string? by = null) => Current = level;

    public void ClearOverride(string? by = null) => Current = ServiceLevel.Normal;

    public ValueTask WaitUntilAtMostAsync(ServiceLevel highest, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    /// <summary>Adds the door with all it needs.</summary>
    /// <param name="services">The services.</param>
    /// <param name="realDescriptors">Whether the door counts the descriptors of this process.</param>
    public void AddTo(IServiceCollection services, bool realDescriptors = false)
    {
        if (!realDescriptors)
        {
            services.AddSingleton<IHostDescriptors>(this);
        }

        services.AddLogging();
        services.AddMetrics();
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<ResilienceMeter>();
        services.TryAddSingleton(static provider => new MonotonicClock(provider.GetRequiredService<TimeProvider>()));
        services.AddSingleton<IServiceLevel>(this);
        services.AddSingleton<Func<ConnectionPolicy>>(() => new ConnectionPolicy(Options));
        services.AddConnectionDoor();
    }
}
