using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using ResilientHost.Hosting;
using ResilientHost.Recovery;
using ResilientHost.Refusals;
using ResilientHost.Telemetry;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers the recovery slice.</summary>
internal static class RecoveryServiceCollectionExtensions
{
    /// <summary>Adds what turns refusals and exceptions into answers. Needs a <see cref="Func{TResult}"/> of <see cref="RecoveryPolicy"/> from the configuration.</summary>
    public static IServiceCollection AddRecovery(this IServiceCollection services)
    {
        services.AddLogging();
        services.AddMetrics();
        services.TryAddSingleton(provider => new MonotonicClock(provider.GetService<TimeProvider>()));
        services.TryAddSingleton<ResilienceMeter>();
        services.TryAddSingleton<RecoveryMetrics>();
        services.TryAddSingleton<RecoveredExceptions>();
        services.TryAddSingleton<RecoveryLog>();
        services.TryAddSingleton<ICustomizationFailureLog>(provider => provider.GetRequiredService<RecoveryLog>());
        services.TryAddSingleton<ProblemCustomization>();
        services.TryAddSingleton<ProblemWriter>();
        services.TryAddSingleton<RefusalWriter>();
        services.TryAddSingleton<RegisteredExceptionHandlers>();
        services.TryAddSingleton<ExceptionRecovery>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, ProcessExceptionObserver>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IPostConfigureOptions<ProblemDetailsOptions>, ProblemCustomization.KeepTraceId>());
        return services;
    }
}
