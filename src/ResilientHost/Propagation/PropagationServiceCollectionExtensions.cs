using Microsoft.Extensions.DependencyInjection.Extensions;
using ResilientHost.Propagation;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers what services tell each other about a call.</summary>
internal static class PropagationServiceCollectionExtensions
{
    public static IServiceCollection AddPropagation(this IServiceCollection services)
    {
        services.TryAddSingleton<InboundCalls>();
        return services;
    }

    /// <summary>Says that something of this host wants to know, when it makes a call, which request that is for. Without it no request pays for being known. Idempotent; also before <see cref="AddPropagation"/>.</summary>
    public static IServiceCollection AddInboundCallReader(this IServiceCollection services)
    {
        services.TryAddSingleton<InboundCallReader>();
        return services;
    }
}
