using System.Diagnostics.Metrics;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;

namespace ResilientHost.IntegrationTests.Fixture;

/// <summary>A service behind a real Kestrel on loopback, with recorders and a client per wire.</summary>
public sealed class TestService : IAsyncDisposable
{
    /// <summary>How long a test waits for what must happen before it calls it missing. Never a measure of speed.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly WebApplication _app;
    private readonly Dictionary<Wire, HttpClient> _clients = [];

    // Reads the status over connections that no test breaks.
    private readonly HttpClient _observer = new() { Timeout = Patience };

    private TestService(WebApplication app, LogRecorder logs, TestConfiguration configuration)
    {
        _app = app;
        Logs = logs;
        Configuration = configuration;
        Metrics = new MetricRecorder(ResilienceDiagnostics.MeterName, app.Services.GetRequiredService<IMeterFactory>());
    }

    public LogRecorder Logs { get; }

    public MetricRecorder Metrics { get; }

    public TestConfiguration Configuration { get; }

    public IServiceProvider Services => _app.Services;

    public static Task<TestService> StartAsync(Action<WebApplication> endpoints, string configuration = "{}", ManualTimeProvider? time = null) =>
        StartAsync(new TestServiceSetup { Endpoints = endpoints, Configuration = configuration, Time = time });

    public static async Task<TestService> StartAsync(TestServiceSetup setup)
    {
        var service = Build(setup);
        try
        {
            await service._app.StartAsync();
        }
        catch
        {
            await service.DisposeAsync();
            throw;
        }

        foreach (var (wire, address) in Enum.GetValues<Wire>().Zip(service._app.Urls))
        {
            service._clients.Add(wire, new HttpClient(new SocketsHttpHandler { UseCookies = false })
            {
                BaseAddress = new Uri(address),
                DefaultRequestVersion = wire == Wire.Http1 ? HttpVersion.Version11 : HttpVersion.Version20,
                DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
                Timeout = Patience,
            });
        }

        return service;
    }

    /// <summary>Starts a service that must refuse to start.</summary>
    /// <returns>The messages of what was thrown.</returns>
    public static async Task<string> FailToStartAsync(TestServiceSetup setup)
    {
        Exception? error = null;
        try
        {
            await using var service = await StartAsync(setup);
        }
        catch (Exception thrown)
        {
            error = thrown;
        }

        return error.ShouldNotBeNull("The service started.").ToString();
    }

    public HttpClient Client(Wire wire = Wire.Http1) => _clients[wire];

    public Task<HttpResponseMessage> GetAsync(string path, Wire wire = Wire.Http1) => Client(wire).GetAsync(path);

    /// <summary>Sends a request of its own over the wire; a message alone would always go over HTTP/1.1.</summary>
    public Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, Wire wire = Wire.Http1, HttpCompletionOption completion = HttpCompletionOption.ResponseContentRead)
    {
        request.Version = Client(wire).DefaultRequestVersion;
        request.VersionPolicy = HttpVersionPolicy.RequestVersionExact;
        return Client(wire).SendAsync(request, completion);
    }

    public async Task<int> StatusOfAsync(string path, Wire wire = Wire.Http1)
    {
        using var response = await GetAsync(path, wire);
        return (int)response.StatusCode;
    }

    public Task<RawConnection> ConnectAsync() => RawConnection.OpenAsync(Client().BaseAddress!);

    /// <summary>The body of the status endpoint.</summary>
    public async Task<JsonElement> StatusAsync()
    {
        using var response = await _observer.GetAsync(new Uri(Client().BaseAddress!, "/resilience/status"));
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        return JsonElement.Parse(await response.Content.ReadAsStringAsync());
    }

    public async Task<JsonElement> BreakerAsync(string name) => Named(await StatusAsync(), "circuitBreakers", name);

    public async Task<string> StateOfAsync(string breaker) => (await BreakerAsync(breaker)).GetProperty("state").GetString().ShouldNotBeNull().ToUpperInvariant();

    public async Task<JsonElement> BulkheadAsync(string name) => Named(await StatusAsync(), "bulkheads", name);

    public async Task<int> InFlightAsync(string bulkhead) => (await BulkheadAsync(bulkhead)).GetProperty("inFlight").GetInt32();

    /// <summary>What an instrument says now, whatever its kind: the sum of its changes or its last total.</summary>
    public double ValueOf(string instrument, params ReadOnlySpan<(string Name, object? Value)> tags)
    {
        Metrics.RecordObservableInstruments();
        var measurements = Metrics.Of(instrument, tags);
        return measurements.Count > 0 && measurements[^1].IsObservable ? measurements[^1].Value : measurements.Sum(measurement => measurement.Value);
    }

    /// <summary>Exceptions counted of one origin. Those of other origins may stem from another test: every host of the process observes unobserved tasks.</summary>
    public double ExceptionsOf(string origin) =>
        Metrics.Sum(ResilienceDiagnostics.Instruments.RecoveryExceptions, (ResilienceDiagnostics.Tags.ExceptionOrigin, origin));

    /// <summary>Waits until <paramref name="queued"/> calls wait at the bulkhead.</summary>
    public Task QueuedAsync(string bulkhead, int queued) =>
        EventuallyAsync(async () => (await BulkheadAsync(bulkhead)).GetProperty("queued").GetInt32() == queued, $"{queued} queued at {bulkhead}");

    /// <summary>Waits until no bulkhead holds or queues anything and no fallback runs: a client may see the end of its connection before the server has ended its request.</summary>
    public Task NothingHeldAsync() =>
        EventuallyAsync(
            async () =>
            {
                var status = await StatusAsync();
                return status.GetProperty("bulkheads").EnumerateArray().All(bulkhead => bulkhead.GetProperty("inFlight").GetInt32() == 0 && bulkhead.GetProperty("queued").GetInt32() == 0)
                    && status.GetProperty("fallbacks").EnumerateArray().All(fallback => fallback.GetProperty("inFlight").GetInt32() == 0);
            },
            "nothing held");

    /// <summary>Asks again, a hundred times per second at most, until the answer is yes: questions without a pause push what they look for out of the recorded log.</summary>
    public static async Task EventuallyAsync(Func<Task<bool>> condition, string what)
    {
        using var patience = new CancellationTokenSource(Patience);
        using var pace = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
        while (!await condition())
        {
            patience.IsCancellationRequested.ShouldBeFalse($"Never happened: {what}.");
            await pace.WaitForNextTickAsync(CancellationToken.None);
        }
    }

    /// <summary>Entries that mention the marker in message, exception or values.</summary>
    public IReadOnlyList<RecordedLog> LogsAbout(string marker) => [.. Logs.Entries.Where(entry => Mentions(entry, marker))];

    /// <summary>The one entry that mentions the marker, once it is there.</summary>
    public async Task<RecordedLog> OneLogAboutAsync(string marker)
    {
        await Logs.WaitForAsync(entry => Mentions(entry, marker), Patience);
        return LogsAbout(marker).ShouldHaveSingleItem();
    }

    /// <summary>Warnings and errors, but for what other tests of the process left unobserved: every service logs that.</summary>
    public IReadOnlyList<RecordedLog> LoudLogs =>
        [.. Logs.Entries.Where(entry => entry.Level >= LogLevel.Warning && !entry.Message.Contains("nobody awaited", StringComparison.Ordinal))];

    /// <summary>No error but what the server itself has to say of a broken connection.</summary>
    public void ShouldHaveLoggedNoError() =>
        LoudLogs
            .Where(entry => entry.Level >= LogLevel.Error && !entry.Category.StartsWith("Microsoft.AspNetCore.Server", StringComparison.Ordinal))
            .Select(entry => $"{entry.Category}: {entry.Message} {entry.Exception}")
            .ShouldBeEmpty();

    public async ValueTask DisposeAsync()
    {
        foreach (var client in _clients.Values)
        {
            client.Dispose();
        }

        _observer.Dispose();
        await _app.DisposeAsync();
        Metrics.Dispose();
    }

    private static bool Mentions(RecordedLog entry, string marker) =>
        entry.Message.Contains(marker, StringComparison.Ordinal)
        || entry.Exception?.ToString().Contains(marker, StringComparison.Ordinal) == true
        || entry.State.Any(pair => pair.Value is string text && text.Contains(marker, StringComparison.Ordinal));

    private static JsonElement Named(JsonElement status, string list, string name) =>
        status.GetProperty(list).EnumerateArray().Single(item => item.GetProperty("name").GetString() == name);

    private static TestService Build(TestServiceSetup setup)
    {
        var logs = new LogRecorder();
        var configuration = new TestConfiguration(setup.Configuration);
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions
        {
            EnvironmentName = setup.Environment,
            ApplicationName = typeof(TestService).Assembly.GetName().Name,
            ContentRootPath = setup.ContentRoot,

            // Dozens of hosts in one process would use up the machine's file watchers.
            Args = ["--hostBuilder:reloadConfigOnChange=false"],
        });
        ((IConfigurationBuilder)builder.Configuration).Add(configuration);
        builder.Logging.ClearProviders().SetMinimumLevel(LogLevel.Information).AddProvider(logs);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.Limits.MaxRequestLineSize = 32 * 1024;
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http1);
            kestrel.Listen(IPAddress.Loopback, 0, listen => listen.Protocols = HttpProtocols.Http2);
        });
        if (setup.Time is { } time)
        {
            builder.Services.AddSingleton<TimeProvider>(time);
        }

        builder.AddResilienceLayers();
        setup.Builder?.Invoke(builder);

        var app = builder.Build();
        setup.Outside?.Invoke(app);
        if (setup.UsesLayers)
        {
            app.UseResilienceLayers();
        }

        setup.Endpoints?.Invoke(app);
        if (setup.MapsStatus)
        {
            app.MapResilienceStatus("/resilience").AllowAnonymous();
        }

        return new TestService(app, logs, configuration);
    }
}
