using Microsoft.Extensions.Configuration;

namespace ResilientHost.Hosting;

/// <summary>That the suite was added, and from which configuration.</summary>
internal sealed class ResilienceRegistration(IConfiguration configuration)
{
    public IConfiguration Configuration => configuration;

    public IConfigurationSection Section { get; } = ResilienceSection.Of(configuration);
}
