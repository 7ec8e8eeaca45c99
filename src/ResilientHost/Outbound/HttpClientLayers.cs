using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Http;
using ResilientHost.Hosting;

namespace ResilientHost.Outbound;

/// <summary>Makes the handlers of the clients that have layers. Thread-safe.</summary>
internal sealed class HttpClientLayers(IEnumerable<HttpClientRegistration> registrations, HttpClientTimeouts timeouts, IServiceProvider provider)
{
    /// <summary>Of the client that has no name.</summary>
    private const string Unnamed = "default";

    private readonly HttpClientRegistration[] _registrations = [.. registrations];

    /// <summary>Names of the layers, as far as they are known before clients are made.</summary>
    public IEnumerable<string> Names => _registrations
        .Select(registration => registration.LayerName)
        .OfType<string>()
        .Distinct(StringComparer.OrdinalIgnoreCase);

    /// <summary>The name that a client's layers go by; <see langword="null"/> when it has none.</summary>
    public string? Find(string client) =>
        (_registrations.FirstOrDefault(registration => registration.Client == client) ?? _registrations.FirstOrDefault(registration => registration.Client is null)) is { } found
            ? found.Layer ?? NameOf(client)
            : null;

    /// <summary>Puts the layers where they were asked for; once, whichever of the client's own and the defaults' comes first.</summary>
    public void AddTo(HttpMessageHandlerBuilder builder)
    {
        var client = builder.Name ?? "";
        if (Find(client) is { } name && !builder.AdditionalHandlers.Any(handler => handler is ResilienceHandler))
        {
            ThrowIfWithoutSuite();
            builder.AdditionalHandlers.Add(new ResilienceHandler(
                provider.GetRequiredService<OutboundClients>().GetOrAdd(name), provider.GetRequiredService<OutboundServices>(), timeouts.Of(client)));
        }
    }

    /// <summary>Sets up what sends, when everybody else has; applications put handlers of their own around it.</summary>
    public static void SetUp(HttpMessageHandlerBuilder builder)
    {
        var primary = builder.PrimaryHandler;
        while (primary is DelegatingHandler { InnerHandler: { } inner })
        {
            primary = inner;
        }

        for (var place = 0; place < builder.AdditionalHandlers.Count; place++)
        {
            if (builder.AdditionalHandlers[place] is ResilienceHandler layers)
            {
                layers.SetUp(primary, isLast: place == builder.AdditionalHandlers.Count - 1 && ReferenceEquals(primary, builder.PrimaryHandler));
                return;
            }
        }
    }

    /// <summary>Takes the place of a client's own timeout.</summary>
    public void TakeOverTimeout(string name, HttpClient client) => timeouts.Of(name).TakeOver(client);

    /// <exception cref="InvalidOperationException">The suite was not added.</exception>
    public void ThrowIfWithoutSuite()
    {
        if (provider.GetService<ResilienceRegistration>() is null)
        {
            throw new InvalidOperationException(
                "An HTTP client has AddResilienceLayers(), but the suite that it needs was not added. Call builder.AddResilienceLayers(), or services.AddResilienceLayers(configuration), before the host is built.");
        }
    }

    /// <summary>What the layers of a client are called that has no other name for them.</summary>
    public static string NameOf(string client) => client.Length == 0 ? Unnamed : client;
}
