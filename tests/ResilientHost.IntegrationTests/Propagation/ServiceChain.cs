namespace ResilientHost.IntegrationTests.Propagation;

/// <summary>Services that call each other in a row, the last one a scripted server. Each answers with the status that it was answered with.</summary>
internal sealed class ServiceChain : IAsyncDisposable
{
    private readonly List<TestService> _services;

    private ServiceChain(ScriptedServer leaf, List<TestService> services)
    {
        Leaf = leaf;
        _services = services;
    }

    /// <summary>The end of the chain.</summary>
    public ScriptedServer Leaf { get; }

    /// <summary>Where requests come in.</summary>
    public TestService Entrance => _services[^1];

    /// <summary>The services, from the leaf's caller to the entrance.</summary>
    public IReadOnlyList<TestService> Services => _services;

    /// <param name="length">Services before the leaf.</param>
    /// <param name="configuration">The <c>Resilience</c> section of each.</param>
    /// <param name="hasLayers">Whether the clients have layers.</param>
    /// <param name="call">How a service calls the next one; <see langword="null"/>: once.</param>
    public static async Task<ServiceChain> StartAsync(int length, string configuration = "{}", bool hasLayers = true, Func<HttpClient, CancellationToken, Task<int>>? call = null)
    {
        call ??= CallAsync;
        var leaf = await ScriptedServer.StartAsync(cancellationToken: TestContext.Current.CancellationToken);
        var chain = new ServiceChain(leaf, []);
        try
        {
            var next = leaf.Address;
            for (var i = 0; i < length; i++)
            {
                chain._services.Add(await StartServiceAsync(next, configuration, hasLayers, call));
                next = chain.Entrance.Client().BaseAddress!;
            }

            return chain;
        }
        catch
        {
            await chain.DisposeAsync();
            throw;
        }
    }

    public static async Task<int> CallAsync(HttpClient next, CancellationToken cancellationToken)
    {
        using var response = await next.GetAsync("/", cancellationToken);
        return (int)response.StatusCode;
    }

    public async ValueTask DisposeAsync()
    {
        for (var i = _services.Count - 1; i >= 0; i--)
        {
            await _services[i].DisposeAsync();
        }

        await Leaf.DisposeAsync();
    }

    private static Task<TestService> StartServiceAsync(Uri next, string configuration, bool hasLayers, Func<HttpClient, CancellationToken, Task<int>> call) => TestService.StartAsync(new TestServiceSetup
    {
        Configuration = configuration,
        Builder = builder =>
        {
            var client = builder.Services.AddHttpClient("next", client => client.BaseAddress = next);
            if (hasLayers)
            {
                client.AddResilienceLayers("next");
            }
        },
        Endpoints = app => app.MapGet("/", async (IHttpClientFactory clients, CancellationToken cancellationToken) =>
        {
            using var client = clients.CreateClient("next");
            return Results.StatusCode(await call(client, cancellationToken));
        }),
    });
}
