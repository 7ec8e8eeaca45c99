using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace ResilientHost.Tests.Pipeline;

/// <summary>A caller's place in its share of a bulkhead ends with the request, on every way that one can take.</summary>
public sealed class CallerShareTests : IDisposable
{
    private static readonly TimeSpan QueueTimeout = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly ManualTimeProvider _time = new();
    private readonly IHost _host;
    private readonly RequestDelegate _pipeline;
    private readonly Bulkhead _bulkhead;
    private readonly CircuitBreaker _circuit;
    private TaskCompletionSource _gate = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Func<HttpContext, Task> _endpoint = static _ => Task.CompletedTask;

    public CallerShareTests()
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton<TimeProvider>(_time);
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Resilience:Bulkheads:db:MaxConcurrency"] = "1",
            ["Resilience:Bulkheads:db:QueueLength"] = "1",
            ["Resilience:Bulkheads:db:QueueTimeout"] = QueueTimeout.ToString("c"),
            ["Resilience:Bulkheads:db:PartitionBy"] = "Host",
            ["Resilience:CircuitBreakers:db:PartitionBy"] = "Host",
            ["Resilience:CircuitBreakers:db:MinimumDistinctCallers"] = "2",
        });
        builder.AddResilienceLayers();
        _host = builder.Build();
        _pipeline = LayersUnderTest.Build(_host.Services);
        _bulkhead = _host.Services.GetRequiredService<BulkheadRegistry>().Get("db");
        _circuit = _host.Services.GetRequiredService<CircuitBreakerRegistry>().Get("db");
    }

    public void Dispose() => _host.Dispose();

    [Fact]
    public async Task Invoke_CompletesThrowsOrFails_GivesTheShareBack()
    {
        (await CallAsync()).ShouldBe(200);
        _endpoint = static _ => throw new InvalidOperationException();
        (await CallAsync()).ShouldBe(500);
        _endpoint = static async _ =>
        {
            await Task.Yield();
            throw new InvalidOperationException();
        };
        (await CallAsync()).ShouldBe(500);

        ShouldHoldNothing();
    }

    [Fact]
    public async Task Invoke_CircuitRefuses_GivesTheShareBack()
    {
        _circuit.Isolate();

        (await CallAsync()).ShouldBe(503);

        ShouldHoldNothing();
    }

    [Fact]
    public async Task Invoke_QueueTimesOutIsFullOrLeft_GivesTheShareBack()
    {
        var first = Occupy();
        var waits = CallAsync();
        _bulkhead.Snapshot().Queued.ShouldBe(1);
        (await CallAsync("b")).ShouldBe(503);
        _time.Advance(QueueTimeout);
        (await waits.WaitAsync(Patience)).ShouldBe(503);

        using var client = new CancellationTokenSource();
        var leaves = CallAsync("b", client.Token);
        _bulkhead.Snapshot().Queued.ShouldBe(1);
        await client.CancelAsync();
        (await leaves.WaitAsync(Patience)).ShouldBe(499);
        _bulkhead.Shares!.Inside.ShouldBe(1);

        _gate.SetResult();
        (await first.WaitAsync(Patience)).ShouldBe(200);
        ShouldHoldNothing();
    }

    [Fact]
    public async Task Invoke_CircuitRefusesBeforeOrAfterTheWait_GivesTheShareBack()
    {
        var first = Occupy();
        var waits = CallAsync();
        _circuit.Isolate();
        (await CallAsync("b")).ShouldBe(503);

        _gate.SetResult();

        (await first.WaitAsync(Patience)).ShouldBe(200);
        (await waits.WaitAsync(Patience)).ShouldBe(503);
        ShouldHoldNothing();
    }

    [Fact]
    public async Task Invoke_WorkOverruns_HoldsTheShareUntilItEnds()
    {
        var first = Occupy();
        _time.Advance(Limit);
        _time.Advance(Limit);
        _bulkhead.Shares!.Inside.ShouldBe(1);

        _gate.SetResult();
        await first.WaitAsync(Patience);

        ShouldHoldNothing();
    }

    [Fact]
    public async Task Reload_CallersToldApartNoMore_SharesOfThoseInsideEnd()
    {
        var shares = _bulkhead.Shares!;
        var first = Occupy();
        var waits = CallAsync();
        shares.Inside.ShouldBe(2);

        Reload("PartitionBy", null);
        _bulkhead.Shares.ShouldBeNull();
        _gate.SetResult();
        (await first.WaitAsync(Patience)).ShouldBe(200);
        (await waits.WaitAsync(Patience)).ShouldBe(200);
        shares.Inside.ShouldBe(0);

        _gate = new(TaskCreationOptions.RunContinuationsAsynchronously);
        first = Occupy();
        Reload("PartitionBy", "Host");
        _gate.SetResult();
        (await first.WaitAsync(Patience)).ShouldBe(200);
        ShouldHoldNothing();
    }

    private void Reload(string key, string? value)
    {
        var configuration = (IConfigurationRoot)_host.Services.GetRequiredService<IConfiguration>();
        configuration[$"Resilience:Bulkheads:db:{key}"] = value;
        configuration[$"Resilience:CircuitBreakers:db:{key}"] = value;
        configuration.Reload();
    }

    private Task<int> Occupy()
    {
        _endpoint = _ => _gate.Task;
        var call = CallAsync();
        call.IsCompleted.ShouldBeFalse();
        return call;
    }

    private async Task<int> CallAsync(string caller = "a", CancellationToken client = default)
    {
        var endpoint = LayersUnderTest.Endpoint(
            context => _endpoint(context), "GET /db", new BulkheadAttribute("db"), new CircuitBreakerAttribute("db"), new TimeoutAttribute(Limit.ToString("c")));
        var context = new DefaultHttpContext { RequestServices = _host.Services, RequestAborted = client };
        context.Request.Host = new HostString(caller);
        context.SetEndpoint(endpoint);
        await _pipeline(context);
        return context.Response.StatusCode;
    }

    private void ShouldHoldNothing()
    {
        var snapshot = _bulkhead.Snapshot();
        (snapshot.InFlight, snapshot.Queued, _bulkhead.Shares!.Inside).ShouldBe((0, 0, 0));
    }
}
