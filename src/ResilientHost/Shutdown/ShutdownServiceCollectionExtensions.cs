using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using ResilientHost.Shutdown;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers what comes before anything stops.</summary>
internal static class ShutdownServiceCollectionExtensions
{
    /// <summary>Adds the sequence. Needs <see cref="Func{TResult}"/> of <see cref="ShutdownPolicy"/> from the configuration.</summary>
    public static IServiceCollection AddShutdown(this IServiceCollection services)
    {
        services.TryAddSingleton<ShutdownSequence>();
        services.AddSingleton<IHostedService>(static provider => provider.GetRequiredService<ShutdownSequence>());
        return services;
    }
}
