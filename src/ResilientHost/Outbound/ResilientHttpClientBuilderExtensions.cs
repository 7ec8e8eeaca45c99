using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Http;
using Microsoft.Extensions.Options;
using ResilientHost;
using ResilientHost.Outbound;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Puts the calls of HTTP clients under layers.</summary>
public static class ResilientHttpClientBuilderExtensions
{
    /// <summary>Puts a client's calls under total timeout, retry or hedging with a budget, bulkhead, circuit breaker and attempt timeout, as <see cref="HttpClientResilienceOptions"/> say.</summary>
    /// <param name="builder">The client: named, typed, keyed, or all of them (<c>ConfigureHttpClientDefaults</c>).</param>
    /// <param name="name">
    /// The name that the layers go by: in <c>Resilience:HttpClients:&lt;name&gt;</c>, logs, metrics and the status page. Default <see langword="null"/>: the client's own, <c>default</c> for the client without one.
    /// Compared without regard to case. Clients that share it share their breakers, bulkheads and budgets.
    /// </param>
    /// <param name="configure">Runs after the name's section in configuration is bound, at start and at each reload; of the defaults of all clients without a name, it changes <c>HttpClients:Default</c>. Must be repeatable.</param>
    /// <returns>The same builder.</returns>
    /// <remarks>
    /// <para>
    /// Needs <c>AddResilienceLayers</c> on the application builder or the services, before or after; without it the host does not start. The layers stand where this call stands among the client's handlers: handlers added
    /// before see each call once, those added after see each attempt. Called again for the same client it changes nothing but what <paramref name="configure"/> adds; what a client says itself beats the defaults of all clients.
    /// </para>
    /// <para>
    /// The client's <see cref="HttpClient.Timeout"/> becomes infinite; what it was bounds the whole call until its response's headers are there, and is all that holds while the layers are switched off. A timeout that is set on a
    /// client later holds beside the layers and looks to them as if the caller had cancelled.
    /// </para>
    /// </remarks>
    /// <exception cref="ArgumentNullException"><paramref name="builder"/> is <see langword="null"/>.</exception>
    /// <exception cref="ArgumentException"><paramref name="name"/> is empty, or <c>Default</c>.</exception>
    /// <exception cref="InvalidOperationException">The client has layers of another name.</exception>
    public static IHttpClientBuilder AddResilienceLayers(this IHttpClientBuilder builder, string? name = null, Action<HttpClientResilienceOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        name = Checked(name);
        if (name is null && builder.Name is { Length: > 0 } own)
        {
            Checked(own);
        }

        Register(builder, name);
        if (configure is not null)
        {
            var layer = name ?? (builder.Name is null ? NamedOptions<HttpClientResilienceOptions>.DefaultName : HttpClientLayers.NameOf(builder.Name));
            builder.Services.Configure<ResilienceOptions>(options => options.HttpClients.Configure(layer, configure));
        }

        return builder;
    }

    private static string? Checked(string? name)
    {
        if (name is null)
        {
            return null;
        }

        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        name = name.Trim();
        return NamedOptions<HttpClientResilienceOptions>.IsDefault(name)
            ? throw new ArgumentException($"'{name}' is where every client's options start from; a client needs another name.", nameof(name))
            : name;
    }

    private static void Register(IHttpClientBuilder builder, string? name)
    {
        var services = builder.Services;
        var known = services
            .Where(service => service.ServiceType == typeof(HttpClientRegistration) && !service.IsKeyedService)
            .Select(service => (HttpClientRegistration)service.ImplementationInstance!)
            .FirstOrDefault(registration => registration.Client == builder.Name);
        var registration = new HttpClientRegistration(builder.Name, name);
        if (known is null)
        {
            AddLayers(services, registration);
        }
        else if (!string.Equals(known.Layer ?? known.Client, name ?? builder.Name, StringComparison.OrdinalIgnoreCase))
        {
            throw new InvalidOperationException(
                $"{(builder.Name is null ? "The defaults of all HTTP clients have" : $"The HTTP client '{builder.Name}' has")} layers of the name '{known.Layer ?? known.Client ?? "of each client"}' already, and cannot have those of '{name ?? builder.Name ?? "each client"}' too.");
        }
    }

    private static void AddLayers(IServiceCollection services, HttpClientRegistration registration)
    {
        services.AddSingleton(registration);
        services.TryAddSingleton<OutboundTelemetry>();
        services.TryAddSingleton<OutboundHedging>();
        services.AddCertificateWatches();
        services.TryAddSingleton<OutboundServices>();
        services.TryAddSingleton<HttpClientTimeouts>();
        services.TryAddSingleton<HttpClientLayers>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IPostConfigureOptions<HttpClientFactoryOptions>, HttpClientFactorySetup>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, HttpClientStartup>());
        services.AddInboundCallReader();

        // By way of the name, so that it also reads right for the defaults of all clients, which have none.
        services.Configure<HttpClientFactoryOptions>(
            registration.Client, options => options.HttpMessageHandlerBuilderActions.Add(handlers => handlers.Services.GetRequiredService<HttpClientLayers>().AddTo(handlers)));
    }
}
