using Microsoft.Extensions.DependencyInjection;
using ResilientHost;

namespace Microsoft.Extensions.Hosting;

/// <summary>Adds the resilience layers to an application.</summary>
public static class ResilienceHostApplicationBuilderExtensions
{
    /// <summary>Adds the layers, configured by the section <c>Resilience</c> of the application's configuration.</summary>
    /// <param name="builder">The application's builder.</param>
    /// <returns>The same builder.</returns>
    /// <remarks>
    /// Safe to call more than once. The configuration is validated before the server listens: an invalid one fails the start with an
    /// <see cref="Options.OptionsValidationException"/> that names every error. It is followed while the application runs: a valid change applies
    /// at once, an invalid one is logged and changes nothing.
    /// </remarks>
    /// <exception cref="ArgumentNullException"><paramref name="builder"/> is <see langword="null"/>.</exception>
    public static IHostApplicationBuilder AddResilienceLayers(this IHostApplicationBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        builder.Services.AddResilienceLayers(builder.Configuration);
        return builder;
    }

    /// <summary>Adds the layers, configured by the section <c>Resilience</c> and then by code.</summary>
    /// <param name="builder">The application's builder.</param>
    /// <param name="configure">
    /// Runs after the section is bound, at start and at each reload. Of several calls, all actions run, in order. Must be repeatable.
    /// </param>
    /// <returns>The same builder.</returns>
    /// <remarks><inheritdoc cref="AddResilienceLayers(IHostApplicationBuilder)" path="/remarks"/></remarks>
    /// <exception cref="ArgumentNullException">An argument is <see langword="null"/>.</exception>
    public static IHostApplicationBuilder AddResilienceLayers(this IHostApplicationBuilder builder, Action<ResilienceOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(configure);
        builder.Services.AddResilienceLayers(builder.Configuration, configure);
        return builder;
    }
}
