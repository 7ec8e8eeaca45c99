using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using ResilientHost;
using ResilientHost.Callers;
using ResilientHost.Degradation;
using ResilientHost.Hosting;
using ResilientHost.Signals;
using ResilientHost.Telemetry;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers the degradation slice.</summary>
internal static class DegradationServiceCollectionExtensions
{
    /// <summary>Adds what decides the service level and turns requests down.</summary>
    /// <remarks>
    /// Needs <see cref="Func{TResult}"/> of <see cref="DegradationPolicy"/> and <see cref="ITrustedCallers"/>. Signals of the suite come from <see cref="Func{TResult}"/> of a list of
    /// <see cref="ISignalSource"/>, asked once at start; without that registration there are only the application's.
    /// </remarks>
    public static IServiceCollection AddDegradation(this IServiceCollection services)
    {
        services.AddMetrics();
        services.TryAddSingleton<ResilienceMeter>();
        services.TryAddSingleton(provider => new DegradationLog(
            provider.GetService<ILogger<DegradationLog>>() ?? NullLogger<DegradationLog>.Instance,
            new MonotonicClock(provider.GetService<TimeProvider>())));
        services.TryAddSingleton(provider => new DegradationControl(
            provider.GetRequiredService<Func<DegradationPolicy>>(),
            new MonotonicClock(provider.GetService<TimeProvider>()),
            provider.GetRequiredService<DegradationLog>()));
        services.TryAddSingleton<IServiceLevel>(provider => provider.GetRequiredService<DegradationControl>());
        services.TryAddSingleton<DegradationMetrics>();
        services.TryAddSingleton(provider => new RequestShedder(
            provider.GetRequiredService<DegradationControl>(),
            provider.GetRequiredService<ITrustedCallers>(),
            provider.GetRequiredService<DegradationMetrics>(),
            provider.GetRequiredService<DegradationLog>(),
            Random.Shared));
        services.TryAddSingleton(provider => new DegradationSampler(
            provider.GetRequiredService<DegradationControl>(),
            provider.GetService<Func<IReadOnlyList<ISignalSource>>>() ?? (static () => []),
            SignalsOf(provider),
            new MonotonicClock(provider.GetService<TimeProvider>()),
            provider.GetRequiredService<DegradationLog>(),
            provider.GetService<Func<IReadOnlyList<(string Name, string? Why)>>>()));
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, DegradationStartup>());
        return services;
    }

    private static IEnumerable<IDegradationSignal> SignalsOf(IServiceProvider provider)
    {
        try
        {
            return provider.GetServices<IDegradationSignal>();
        }
        catch (InvalidOperationException exception)
        {
            throw new InvalidOperationException($"The application's degradation signals cannot be made: {exception.Message} Register each {nameof(IDegradationSignal)} as a singleton.", exception);
        }
    }
}
