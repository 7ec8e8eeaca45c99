using Microsoft.Extensions.DependencyInjection.Extensions;
using ResilientHost.Hosting;
using ResilientHost.Signals;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers the signals of this machine.</summary>
internal static class SignalServiceCollectionExtensions
{
    /// <summary>The files are opened when the signals are first asked for.</summary>
    public static IServiceCollection AddSignals(this IServiceCollection services)
    {
        services.TryAddSingleton(static provider => new MonotonicClock(provider.GetService<TimeProvider>()));
        services.TryAddSingleton(static provider => HostSignals.Create(provider.GetRequiredService<MonotonicClock>()));
        services.TryAddSingleton<Func<IReadOnlyList<ISignalSource>>>(static provider => () => provider.GetRequiredService<HostSignals>().Sources);
        services.TryAddSingleton<Func<IReadOnlyList<(string Name, string? Why)>>>(
            static provider => () => [.. provider.GetRequiredService<HostSignals>().Missing.Select(static missing => (missing.Name, (string?)missing.Why))]);
        return services;
    }
}
