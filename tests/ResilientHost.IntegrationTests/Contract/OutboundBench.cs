using System.Net.Sockets;

namespace ResilientHost.IntegrationTests.Contract;

/// <summary>A service with one HTTP client under layers, <c>pricing</c>, and the scripted upstream that it calls.</summary>
internal sealed class OutboundBench : IAsyncDisposable
{
    private OutboundBench(ScriptedServer upstream, TestService service)
    {
        Upstream = upstream;
        Service = service;
    }

    public ScriptedServer Upstream { get; }

    public TestService Service { get; }

    public HttpClient Client => Service.Services.GetRequiredService<IHttpClientFactory>().CreateClient("pricing");

    /// <param name="client">What <c>HttpClients:pricing</c> says.</param>
    /// <param name="rest">Other sections, each with a comma before it.</param>
    /// <param name="configure">What else the client gets, after its layers.</param>
    /// <param name="endpoints">The service's endpoints.</param>
    public static Task<OutboundBench> StartAsync(
        string client = "{}", string rest = "", Action<IHttpClientBuilder>? configure = null, Action<WebApplication>? endpoints = null) =>
        StartWithAsync(Section(client, rest), endpoints, configure);

    /// <param name="section">The whole section.</param>
    /// <param name="endpoints">The service's endpoints.</param>
    /// <param name="configure">What else the client gets, after its layers.</param>
    public static async Task<OutboundBench> StartWithAsync(string section, Action<WebApplication>? endpoints = null, Action<IHttpClientBuilder>? configure = null)
    {
        var upstream = await ScriptedServer.StartAsync(cancellationToken: TestContext.Current.CancellationToken);
        try
        {
            var service = await TestService.StartAsync(new TestServiceSetup
            {
                Configuration = section,
                Builder = builder =>
                {
                    var pricing = builder.Services.AddHttpClient("pricing", http => http.BaseAddress = upstream.Address).AddResilienceLayers("pricing");
                    configure?.Invoke(pricing);
                },
                Endpoints = endpoints,
            });
            return new OutboundBench(upstream, service);
        }
        catch
        {
            await upstream.DisposeAsync();
            throw;
        }
    }

    /// <summary>Where nobody listens.</summary>
    public static Uri Nowhere()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return new Uri($"http://127.0.0.1:{((IPEndPoint)listener.LocalEndpoint).Port}/");
    }

    public void Reload(string client, string rest = "") => Service.Configuration.Replace(Section(client, rest));

    public async Task<int> StatusAsync(HttpMethod? method = null, RequestResilience? resilience = null, HttpContent? content = null, params (string Name, string Value)[] headers)
    {
        using var response = await SendAsync(method, resilience, content, headers);
        return (int)response.StatusCode;
    }

    public async Task<HttpResponseMessage> SendAsync(HttpMethod? method = null, RequestResilience? resilience = null, HttpContent? content = null, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method ?? HttpMethod.Get, "/price") { Content = content };
        if (resilience is not null)
        {
            request.WithResilience(resilience);
        }

        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value).ShouldBeTrue();
        }

        return await Client.SendAsync(request, TestContext.Current.CancellationToken);
    }

    public async Task<OutboundRefusedException> RefusedAsync(HttpMethod? method = null, RequestResilience? resilience = null) =>
        await Should.ThrowAsync<OutboundRefusedException>(() => StatusAsync(method, resilience));

    public async ValueTask DisposeAsync()
    {
        await Service.DisposeAsync();
        await Upstream.DisposeAsync();
    }

    private static string Section(string client, string rest) => $$"""{ "HttpClients": { "pricing": {{client}} }{{rest}} }""";
}
