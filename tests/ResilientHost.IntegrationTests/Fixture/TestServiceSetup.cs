namespace ResilientHost.IntegrationTests.Fixture;

/// <summary>What is particular about one test's service.</summary>
public sealed class TestServiceSetup
{
    /// <summary>The <c>Resilience</c> section as JSON.</summary>
    public string Configuration { get; init; } = "{}";

    public string Environment { get; init; } = Environments.Production;

    /// <summary>Registered as the service's <see cref="TimeProvider"/>; null for real time.</summary>
    public ManualTimeProvider? Time { get; init; }

    /// <summary>Runs after <c>AddResilienceLayers()</c>.</summary>
    public Action<WebApplicationBuilder>? Builder { get; init; }

    /// <summary>Middlewares outside the layers.</summary>
    public Action<WebApplication>? Outside { get; init; }

    /// <summary>Whether <c>UseResilienceLayers()</c> is called between <see cref="Outside"/> and <see cref="Endpoints"/>.</summary>
    public bool UsesLayers { get; init; } = true;

    /// <summary>Maps endpoints, and middlewares inside the layers.</summary>
    public Action<WebApplication>? Endpoints { get; init; }

    /// <summary>Whether the status endpoint is mapped, open to anyone.</summary>
    public bool MapsStatus { get; init; } = true;

    public string ContentRoot { get; init; } = AppContext.BaseDirectory;
}
