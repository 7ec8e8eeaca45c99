using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using ResilientHost.Telemetry;

namespace ResilientHost.Outbound;

/// <summary>Says at start which names in configuration no client goes by: a typo protects nobody.</summary>
/// <remarks>Resolves late: an invalid configuration then speaks as the validation error it is, not as a failed construction.</remarks>
internal sealed partial class OutboundClientStartup(IServiceProvider services, ILogger<OutboundClientStartup> logger) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken)
    {
        var names = services.GetServices<HttpClientRegistration>().Select(registration => registration.LayerName).ToList();
        var unused = services.GetRequiredService<OutboundClients>().Unused(names.OfType<string>().ToHashSet(StringComparer.OrdinalIgnoreCase));
        if (unused.Count > 0 && !names.Contains(null))
        {
            Log.Unused(logger, string.Join(", ", unused), names.Count == 0 ? "none" : string.Join(", ", names.Order(StringComparer.OrdinalIgnoreCase)));
        }

        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private static partial class Log
    {
        [LoggerMessage(
            EventIds.Outbound,
            LogLevel.Warning,
            "Configuration names HTTP clients that there are not: {Unused}. Clients with layers: {Names}. A client goes by the name that AddResilienceLayers was given, else by its own.")]
        public static partial void Unused(ILogger logger, string unused, string names);
    }
}
