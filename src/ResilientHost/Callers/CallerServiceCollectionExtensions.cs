using Microsoft.Extensions.DependencyInjection.Extensions;
using ResilientHost.Callers;
using ResilientHost.Hosting;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers how callers are told apart and whose word counts.</summary>
internal static class CallerServiceCollectionExtensions
{
    /// <summary>Needs a registered <see cref="Func{TResult}"/> of <see cref="TrustedCallerPolicy"/>.</summary>
    public static IServiceCollection AddCallers(this IServiceCollection services)
    {
        services.AddLogging();
        services.TryAddSingleton(static provider => new MonotonicClock(provider.GetService<TimeProvider>()));
        services.TryAddSingleton<CallerLog>();
        services.TryAddSingleton<ITrustedCallers, TrustedCallers>();
        services.TryAddSingleton<CallerKeys>();
        return services;
    }
}
