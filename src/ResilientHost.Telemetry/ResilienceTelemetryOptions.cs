namespace ResilientHost;

/// <summary>What <c>AddResilienceTelemetry()</c> is to do beyond what the standard <c>OTEL_*</c> variables say.</summary>
/// <remarks>Set by code alone, and checked when the host starts. Where to export to, and how, is for the variables: it belongs to the place where the service runs.</remarks>
public sealed class ResilienceTelemetryOptions
{
    /// <summary>Name of the service, the resource attribute <c>service.name</c>.</summary>
    /// <value>Default: <see langword="null"/>, the application's name. <c>OTEL_SERVICE_NAME</c> and <c>OTEL_RESOURCE_ATTRIBUTES</c> beat it.</value>
    public string? ServiceName { get; set; }

    /// <summary>Version of the service, the resource attribute <c>service.version</c>.</summary>
    /// <value>Default: <see langword="null"/>, the informational version of the entry assembly. <c>OTEL_RESOURCE_ATTRIBUTES</c> beats it.</value>
    public string? ServiceVersion { get; set; }

    /// <summary>Names of activity sources to export beside <c>ResilientHost</c>, <c>Microsoft.AspNetCore</c> and <c>System.Net.Http</c>, such as <c>Npgsql</c>; <c>*</c> stands for any characters.</summary>
    /// <value>Default: empty.</value>
    public IList<string> ActivitySources { get; } = [];

    /// <summary>Names of meters to export beside ours, ASP.NET Core's, Kestrel's, the HTTP client's and the runtime's; <c>*</c> stands for any characters.</summary>
    /// <value>Default: empty.</value>
    public IList<string> Meters { get; } = [];

    /// <summary>Whether each request is logged as one event when it has ended.</summary>
    /// <value>Default: <see langword="true"/>. Needs <c>AddResilienceLayers()</c>. The framework's own two events per request are then filtered out, unless configuration has a level for <c>Microsoft.AspNetCore.Hosting.Diagnostics</c>.</value>
    public bool LogRequests { get; set; } = true;

    /// <summary>Whether requests of health probes, the status and the dashboard are exported as spans.</summary>
    /// <value>Default: <see langword="false"/>: probes every few seconds would be most traces, and a stream of the dashboard's is a span of hours. One that was answered 500 or above is exported in any case.</value>
    public bool TraceOperations { get; set; }

    /// <summary>Whether log scopes go along with exported log records.</summary>
    /// <value>Default: <see langword="true"/>. ASP.NET Core's scope names the path of the request.</value>
    public bool IncludeScopes { get; set; } = true;

    /// <summary>Whether Serilog writes to the console, or wherever the section <c>Serilog</c> says, in place of the stock console provider.</summary>
    /// <value>Default: <see langword="true"/>. Other logger providers stay in any case.</value>
    public bool UseSerilog { get; set; } = true;

    /// <summary>How many log events may wait for the console. Further ones are dropped and counted.</summary>
    /// <value>Default: 10,000. At least 100, at most 1,000,000. Not for sinks that the section <c>Serilog</c> names.</value>
    public int ConsoleQueueLength { get; set; } = 10_000;

    /// <summary>How long a host that stops may take to deliver what is left.</summary>
    /// <value>Default: 5 s. More than zero, at most 1 min. What is left after it is lost.</value>
    public TimeSpan FlushTimeout { get; set; } = TimeSpan.FromSeconds(5);

    internal IEnumerable<string> Problems()
    {
        if (ConsoleQueueLength is < 100 or > 1_000_000)
        {
            yield return $"AddResilienceTelemetry: {nameof(ConsoleQueueLength)} must be from 100 to 1,000,000 events, but is {ConsoleQueueLength}.";
        }

        if (FlushTimeout <= TimeSpan.Zero || FlushTimeout > TimeSpan.FromMinutes(1))
        {
            yield return $"AddResilienceTelemetry: {nameof(FlushTimeout)} must be more than zero and at most 1 min, but is {FlushTimeout}.";
        }

        if (ActivitySources.Concat(Meters).Any(string.IsNullOrWhiteSpace))
        {
            yield return $"AddResilienceTelemetry: {nameof(ActivitySources)} and {nameof(Meters)} must not have an empty name.";
        }
    }
}
