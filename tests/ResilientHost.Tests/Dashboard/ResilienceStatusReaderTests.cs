using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using ResilientHost.Dashboard;
using ResilientHost.Outbound;

namespace ResilientHost.Tests.Dashboard;

public sealed class ResilienceStatusReaderTests : IDisposable
{
    private readonly IHost _host;
    private readonly ResilienceStatusReader _reader;

    public ResilienceStatusReaderTests()
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Resilience:Bulkheads:db:MaxConcurrency"] = "1",
            ["Resilience:Bulkheads:db:PartitionBy"] = "Host",
            ["Resilience:CircuitBreakers:db:ConsecutiveFailures"] = "1",
            ["Resilience:CircuitBreakers:db:MaxPartitions"] = "1",
            ["Resilience:CircuitBreakers:db:PartitionBy"] = "Host",
        });
        builder.AddResilienceLayers();
        _host = builder.Build();
        _reader = _host.Services.GetRequiredService<ResilienceStatusReader>();
    }

    public void Dispose() => _host.Dispose();

    [Fact]
    public void Read_PartitionsThatAreOpen_AreShownAndTheSharedOneToo()
    {
        var partitions = _host.Services.GetRequiredService<CircuitBreakerRegistry>().Get("db").Partitions!;
        Open(partitions.Get("a"));
        Shown().ShouldBe([(null, CircuitState.Closed), ("a", CircuitState.Open)]);

        Open(partitions.Get("b"));
        Shown().ShouldBe([(null, CircuitState.Closed), ("(others)", CircuitState.Open), ("a", CircuitState.Open)]);
    }

    [Fact]
    public void Read_CallerOverItsShare_CountsAsRefused()
    {
        var bulkhead = _host.Services.GetRequiredService<BulkheadRegistry>().Get("db");
        bulkhead.Shares!.TryEnter("a", out _, out _).ShouldBeTrue();
        bulkhead.Shares.TryEnter("b", out _, out _).ShouldBeTrue();
        bulkhead.Shares.TryEnter("a", out _, out var refusal).ShouldBeFalse();
        refusal.IsCallersShare.ShouldBeTrue();

        _reader.Read().Bulkheads.Single().Refused.ShouldBe(1);
    }

    [Fact]
    public void Read_HttpClients_AreShownWithTheirAuthorities()
    {
        var client = _host.Services.GetRequiredService<OutboundClients>().GetOrAdd("pricing");
        var broken = client.Of(new Uri("https://Prices.example/1"));
        client.Of(new Uri("http://other.example:81/")).Budget.Deposit();
        client.Counts.AddAttempt();
        client.Counts.AddRetry();
        broken.CircuitBreaker.ForceOpen(TimeSpan.FromSeconds(30));

        var shown = _reader.Read().HttpClients.ShouldHaveSingleItem();

        (shown.Name, shown.Attempts, shown.Retries, shown.Hedges, shown.AuthorityCount).ShouldBe(("pricing", 1, 1, 0, 2));
        shown.Authorities.Select(authority => (authority.Authority, authority.State)).ShouldBe([("https://prices.example:443", CircuitState.Open), ("http://other.example:81", CircuitState.Closed)]);
        shown.Authorities[0].RetryAfterSeconds.ShouldBe(30);
        _reader.Read(namesCallers: false).HttpClients.Single().Authorities.ShouldAllBe(authority => authority.Authority.StartsWith('#'));
    }

    private static void Open(CircuitBreaker breaker)
    {
        breaker.TryEnter(out var permit, out _).ShouldBeTrue();
        breaker.Exit(permit, CallOutcome.Failed)!.To.ShouldBe(CircuitState.Open);
    }

    private List<(string? Key, CircuitState State)> Shown() => [.. _reader.Read().CircuitBreakers.Select(breaker => (breaker.Key, breaker.State))];
}
