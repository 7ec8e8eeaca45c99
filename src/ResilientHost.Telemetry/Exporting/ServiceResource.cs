using System.Reflection;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using OpenTelemetry.Resources;
using ResilientHost.Dashboard;

namespace ResilientHost.Telemetry.Exporting;

/// <summary>Which service, and which replica of it, telemetry comes from.</summary>
internal sealed class ServiceResource(IServiceProvider services) : IResourceDetector
{
    public Resource Detect()
    {
        var options = services.GetRequiredService<ResilienceTelemetryOptions>();
        var attributes = new Dictionary<string, object>
        {
            ["service.name"] = options.ServiceName ?? services.GetService<IHostEnvironment>()?.ApplicationName ?? AppDomain.CurrentDomain.FriendlyName,

            // As the status page has it, so that one finds the other.
            ["service.instance.id"] = (services.GetService<ResilienceInstance>() ?? new ResilienceInstance()).Name,
            ["host.name"] = Environment.MachineName,
        };
        if ((options.ServiceVersion ?? VersionOfApplication()) is { } version)
        {
            attributes["service.version"] = version;
        }

        return new Resource(attributes);
    }

    // Without the commit, which the build appends.
    private static string? VersionOfApplication() =>
        Assembly.GetEntryAssembly()?.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0];
}
