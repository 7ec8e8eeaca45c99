using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection.Extensions;
using ResilientHost.Connections;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers the door.</summary>
internal static class ConnectionServiceCollectionExtensions
{
    /// <summary>Guards every listener of the server, in whatever order server, transports and the suite are registered.</summary>
    /// <remarks>Needs <c>Func&lt;ConnectionPolicy&gt;</c>, <see cref="ResilientHost.IServiceLevel"/>, a clock and the meter.</remarks>
    public static IServiceCollection AddConnectionDoor(this IServiceCollection services)
    {
        services.TryAddSingleton<IHostDescriptors>(static _ => OperatingSystem.IsLinux() ? new LinuxDescriptors() : new UnknownDescriptors());
        services.TryAddSingleton<ConnectionMetrics>();
        services.TryAddSingleton<ConnectionLog>();
        services.TryAddSingleton<ConnectionDoor>();
        services.TryAddSingleton<IEnumerable<IConnectionListenerFactory>>(provider => new GuardedListenerFactories(services, provider));
        return services;
    }
}
