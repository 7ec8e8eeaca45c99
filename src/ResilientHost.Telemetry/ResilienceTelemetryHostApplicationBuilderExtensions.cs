using ResilientHost;
using ResilientHost.Telemetry;

namespace Microsoft.Extensions.Hosting;

/// <summary>Adds OpenTelemetry and Serilog to an application.</summary>
public static class ResilienceTelemetryHostApplicationBuilderExtensions
{
    /// <summary>Sends traces, metrics and logs to an OpenTelemetry collector, and writes logs as lines of JSON on the console.</summary>
    /// <param name="builder">The application's builder.</param>
    /// <param name="configure">Runs at once. Of several calls all actions run, in order, on the same options.</param>
    /// <returns>The same builder.</returns>
    /// <remarks>
    /// <para>
    /// Nothing is exported unless the configuration has <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> or the endpoint of a signal. The standard <c>OTEL_*</c> variables count
    /// wherever the configuration has them: environment, command line, <c>appsettings.json</c>. They are read once, when the host starts; an invalid one, or an invalid
    /// section <c>Serilog</c>, fails the start with an <see cref="Options.OptionsValidationException"/> that names every error.
    /// </para>
    /// <para>
    /// No request waits for an exporter or for the console: what cannot be queued is dropped, counted and told. When the host stops, what is left is delivered for at most
    /// <see cref="ResilienceTelemetryOptions.FlushTimeout"/>. Safe to call more than once, before or after <c>AddResilienceLayers()</c>; the one event per request needs those layers.
    /// </para>
    /// </remarks>
    /// <exception cref="ArgumentNullException"><paramref name="builder"/> is <see langword="null"/>.</exception>
    public static IHostApplicationBuilder AddResilienceTelemetry(this IHostApplicationBuilder builder, Action<ResilienceTelemetryOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        var registration = TelemetryRegistration.Of(builder);
        configure?.Invoke(registration.Options);
        registration.Apply(builder);
        return builder;
    }
}
