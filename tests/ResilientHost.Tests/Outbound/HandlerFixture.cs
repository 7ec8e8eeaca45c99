using System.Net;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using ResilientHost.Outbound;

namespace ResilientHost.Tests.Outbound;

/// <summary>A client with layers over a scripted transport, on manual time. Jitter is off.</summary>
internal sealed class HandlerFixture : IAsyncDisposable
{
    public static readonly Uri Address = new("https://prices.example/a");

    private readonly ServiceProvider _services;

    public HandlerFixture(
        HandlerTransport transport,
        Action<HttpClientResilienceOptions>? options = null,
        Action<IHttpClientBuilder>? client = null,
        Action<ResilienceOptions>? suite = null,
        Dictionary<string, string?>? settings = null)
    {
        Transport = transport;
        Configuration = new ConfigurationBuilder().AddInMemoryCollection(settings).Build();
        var services = new ServiceCollection();
        services.AddSingleton<TimeProvider>(Time);
        services.AddResilienceLayers(Configuration, suite);
        var builder = services.AddHttpClient("pricing").AddResilienceLayers(configure: made =>
        {
            made.Retry.Jitter = 0;
            options?.Invoke(made);
        });
        client?.Invoke(builder);
        builder.ConfigurePrimaryHttpMessageHandler(() => transport);
        _services = services.BuildServiceProvider();
        Client = _services.GetRequiredService<IHttpClientFactory>().CreateClient("pricing");
    }

    public ManualTimeProvider Time { get; } = new();

    public HandlerTransport Transport { get; }

    public IConfigurationRoot Configuration { get; }

    public HttpClient Client { get; }

    public IServiceProvider Services => _services;

    public OutboundClient State => _services.GetRequiredService<OutboundClients>().GetOrAdd("pricing");

    public OutboundAuthority Authority => State.Of(Address);

    public static HttpResponseMessage Answer(HttpStatusCode status, string body = "") => new(status) { Content = new StringContent(body) };

    public Task<HttpResponseMessage> GetAsync(CancellationToken cancellationToken = default) => SendAsync(HttpMethod.Get, cancellationToken: cancellationToken);

    public Task<HttpResponseMessage> SendAsync(HttpMethod method, HttpContent? content = null, RequestResilience? resilience = null, CancellationToken cancellationToken = default)
    {
        var request = new HttpRequestMessage(method, Address) { Content = content };
        if (resilience is not null)
        {
            request.WithResilience(resilience);
        }

        return Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
    }

    /// <summary>Nothing is left of any call: no place, no timer.</summary>
    public void ShouldHoldNothing()
    {
        Authority.Bulkhead.Snapshot().InFlight.ShouldBe(0);
        Authority.Bulkhead.Snapshot().Queued.ShouldBe(0);
        ArmedByCalls.ShouldBe(0);
    }

    /// <summary>Timers beyond those that the suite itself keeps armed.</summary>
    public int ArmedByCalls => Time.ArmedTimers - _armedBefore;

    private int _armedBefore;

    public HandlerFixture CountTimersFromHere()
    {
        _ = Authority;
        _armedBefore = Time.ArmedTimers;
        return this;
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _services.DisposeAsync();
    }
}

/// <summary>A transport that does what the test says, attempt by attempt, and remembers what it was sent.</summary>
internal sealed class HandlerTransport(params Func<HttpRequestMessage, CancellationToken, Task<HttpResponseMessage>>[] script) : HttpMessageHandler
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private readonly TaskCompletionSource[] _arrivals = [.. Enumerable.Range(0, 12).Select(_ => new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously))];
    private int _attempts;

    public int Attempts => Volatile.Read(ref _attempts);

    /// <summary>What each attempt looked like on arrival.</summary>
    public List<SentRequest> Sent { get; } = [];

    /// <summary>Completes when an attempt has come, from 1.</summary>
    public Task Arrival(int number) => _arrivals[number - 1].Task.WaitAsync(Patience);

    public static Func<HttpRequestMessage, CancellationToken, Task<HttpResponseMessage>> Answering(HttpStatusCode status, Action<HttpResponseMessage>? also = null) => (_, _) =>
    {
        var response = HandlerFixture.Answer(status);
        also?.Invoke(response);
        return Task.FromResult(response);
    };

    public static Func<HttpRequestMessage, CancellationToken, Task<HttpResponseMessage>> Throwing(Exception exception) => (_, _) => Task.FromException<HttpResponseMessage>(exception);

    /// <summary>Never answers, but heeds its token.</summary>
    public static async Task<HttpResponseMessage> Hanging(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var never = new TaskCompletionSource<HttpResponseMessage>(TaskCreationOptions.RunContinuationsAsynchronously);
        using var registration = cancellationToken.Register(() => never.TrySetCanceled(cancellationToken));
        return await never.Task;
    }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var number = Interlocked.Increment(ref _attempts);
        Sent.Add(await SentRequest.Of(request));
        _arrivals[Math.Min(number, _arrivals.Length) - 1].TrySetResult();
        var response = await script[Math.Min(number, script.Length) - 1](request, cancellationToken);
        return response;
    }

    protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken) => SendAsync(request, cancellationToken).GetAwaiter().GetResult();
}

/// <summary>A request as it came.</summary>
internal sealed record SentRequest(HttpMethod Method, Uri? Uri, string Headers, string? Body)
{
    public static async Task<SentRequest> Of(HttpRequestMessage request)
    {
        string? body = null;
        if (request.Content is { } content)
        {
            // As a connection does: serialized, not read back.
            var stream = new MemoryStream();
            await content.CopyToAsync(stream);
            body = System.Text.Encoding.UTF8.GetString(stream.ToArray());
        }

        return new(request.Method, request.RequestUri, request.Headers.ToString(), body);
    }
}

/// <summary>A body that tells whether it was let go of, and how often.</summary>
internal sealed class ObservedContent() : ByteArrayContent([])
{
    public int Disposals { get; private set; }

    protected override void Dispose(bool disposing)
    {
        Disposals++;
        base.Dispose(disposing);
    }
}
