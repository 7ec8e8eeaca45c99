using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using ResilientHost.Benchmarks.Ratios;

namespace ResilientHost.Benchmarks.Outbound;

/// <summary>Calls through the handlers of an HTTP client as the factory builds them, to a dependency that costs nothing: what is measured is what stands before it.</summary>
internal sealed class HttpCalls : IOperation, IDisposable
{
    private const string Name = "pricing";

    private readonly ServiceProvider _services;
    private readonly HttpMessageInvoker _invoker;
    private readonly Dependency _dependency;
    private readonly bool _awaits;

    private HttpCalls(Action<IHttpClientBuilder> protect, bool awaits)
    {
        _awaits = awaits;
        _dependency = new Dependency(awaits);
        var services = new ServiceCollection();
        services.AddResilienceLayers(new ConfigurationBuilder().Build());
        protect(services.AddHttpClient(Name).RemoveAllLoggers().ConfigurePrimaryHttpMessageHandler(() => _dependency));
        _services = services.BuildServiceProvider();
        _invoker = new HttpMessageInvoker(_services.GetRequiredService<IHttpMessageHandlerFactory>().CreateHandler(Name), disposeHandler: false);
        Run(1);
    }

    public static HttpCalls Bare(bool awaits) => new(static _ => { }, awaits);

    public static HttpCalls Layered(bool awaits) => new(static client => client.AddResilienceLayers(Name), awaits);

    public static HttpCalls Polly(bool awaits) => new(static client => client.AddHttpMessageHandler(static () => new PollyHandler()), awaits);

    public void Run(int count)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "http://pricing.example/prices/1");
        for (var call = 0; call < count; call++)
        {
            var answer = _invoker.SendAsync(request, CancellationToken.None);
            if (_awaits)
            {
                _dependency.Answer();
            }

            if (!answer.IsCompletedSuccessfully || !answer.Result.IsSuccessStatusCode)
            {
                throw new InvalidOperationException("The call must be answered, and well.");
            }
        }
    }

    public void Dispose()
    {
        _invoker.Dispose();
        _services.Dispose();
        _dependency.Dispose();
    }
}
