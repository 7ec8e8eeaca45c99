using ResilientHost.Outbound;
using static ResilientHost.ResilienceDiagnostics;

namespace ResilientHost.Tests.Outbound;

public sealed class OutboundClientTests
{
    private static readonly CancellationToken Never = CancellationToken.None;

    [Theory]
    [InlineData("https://prices.example/a", "https://prices.example:443")]
    [InlineData("HTTPS://Prices.Example:443/b?c", "https://prices.example:443")]
    [InlineData("http://prices.example/a", "http://prices.example:80")]
    [InlineData("http://[::1]:8080/", "http://[::1]:8080")]
    [InlineData("https://bücher.example/", "https://xn--bcher-kva.example:443")]
    [InlineData("http://user:secret@10.0.0.1/", "http://10.0.0.1:80")]
    public void Of_Uri_IsNamedBySchemeHostAndPort(string uri, string name)
    {
        using OutboundFixture host = new();
        host.Client.Of(new(uri)).Authority.ShouldBe(name);
        host.Client.Of(new(uri)).ShouldBeSameAs(host.Client.Of(new(name + "/other")));
    }

    [Fact]
    public void Of_AnotherSchemePortOrHost_IsAnotherAuthority()
    {
        using OutboundFixture host = new();
        string[] uris = ["http://a/", "https://a/", "http://a:81/", "http://b/"];
        uris.Select(uri => host.Client.Of(new(uri))).Distinct().Count().ShouldBe(4);
        host.Client.AuthorityCount.ShouldBe(4);
        Should.Throw<InvalidOperationException>(() => host.Client.Of(new("/relative", UriKind.Relative)));
    }

    [Fact]
    public void GetOrAdd_NameInAnotherCase_IsTheSameClient()
    {
        using OutboundFixture host = new();
        host.Clients.GetOrAdd("Pricing").ShouldBeSameAs(host.Clients.GetOrAdd("pricing"));
        host.Clients.GetOrAdd("stock").LayerName.ShouldBe("http:stock");
        host.Clients.All.Select(client => client.Name).ShouldBe(["Pricing", "stock"]);
    }

    [Fact]
    public async Task EnterAsync_Admitted_HoldsBothUntilExit()
    {
        using OutboundFixture host = new(o => o.Bulkhead.MaxConcurrency = 1);
        var authority = host.Client.Of(new("http://a/"));
        var admission = await authority.EnterAsync(Never);
        admission.IsAdmitted.ShouldBeTrue();
        authority.Bulkhead.Snapshot().InFlight.ShouldBe(1);
        authority.Exit(admission.Pass, CallOutcome.Failed);
        authority.Bulkhead.Snapshot().InFlight.ShouldBe(0);
        authority.CircuitBreaker.Snapshot().Failures.ShouldBe(1);
        authority.Exit(default, CallOutcome.Failed);
        authority.CircuitBreaker.Snapshot().Failures.ShouldBe(1);
    }

    [Fact]
    public async Task EnterAsync_BulkheadFull_RefusesInTheClientsName()
    {
        using OutboundFixture host = new(o => o.Bulkhead.MaxConcurrency = 1);
        var authority = host.Client.Of(new("http://a/"));
        var held = await authority.EnterAsync(Never);
        var refused = await authority.EnterAsync(Never);
        (refused.IsAdmitted, refused.Refusal!.Value.Reason, refused.Refusal.Value.Source).ShouldBe((false, RefusalReason.BulkheadFull, "http:pricing"));
        (await host.Client.Of(new("http://b/")).EnterAsync(Never)).IsAdmitted.ShouldBeTrue();
        authority.Exit(held.Pass, CallOutcome.Succeeded);
        authority.Exit(refused.Pass, CallOutcome.Succeeded);
        authority.CircuitBreaker.Snapshot().Calls.ShouldBe(1);
    }

    [Fact]
    public async Task EnterAsync_CircuitOpen_RefusesWithoutTakingAPlaceInTheQueue()
    {
        using OutboundFixture host = new(o => (o.Bulkhead.MaxConcurrency, o.Bulkhead.QueueLength) = (1, 5));
        var authority = host.Client.Of(new("http://a/"));
        var held = await authority.EnterAsync(Never);
        authority.CircuitBreaker.ForceOpen(TimeSpan.FromSeconds(7));
        var refused = await authority.EnterAsync(Never);
        refused.Refusal.ShouldBe(new Refusal(RefusalReason.CircuitOpen, "http:pricing", TimeSpan.FromSeconds(7)));
        (authority.Bulkhead.Snapshot().Queued, authority.CircuitBreaker.Snapshot().Refused).ShouldBe((0, 1));
        authority.Exit(held.Pass, CallOutcome.Ignored);
    }

    [Fact]
    public async Task EnterAsync_CircuitOpensWhileWaiting_RefusesAndHoldsNothing()
    {
        using OutboundFixture host = new(o => (o.Bulkhead.MaxConcurrency, o.Bulkhead.QueueLength) = (1, 5));
        var authority = host.Client.Of(new("http://a/"));
        var held = await authority.EnterAsync(Never);
        var waiting = authority.EnterAsync(Never).AsTask();
        waiting.IsCompleted.ShouldBeFalse();
        authority.CircuitBreaker.ForceOpen();
        authority.Exit(held.Pass, CallOutcome.Failed);
        (await waiting).Refusal!.Value.Reason.ShouldBe(RefusalReason.CircuitOpen);
        authority.Bulkhead.Snapshot().InFlight.ShouldBe(0);
    }

    [Fact]
    public async Task EnterAsync_CallerLeaves_ThrowsAndHoldsNothing()
    {
        using OutboundFixture host = new(o => (o.Bulkhead.MaxConcurrency, o.Bulkhead.QueueLength) = (1, 5));
        var authority = host.Client.Of(new("http://a/"));
        var held = await authority.EnterAsync(Never);
        using CancellationTokenSource leaving = new();
        var waiting = authority.EnterAsync(leaving.Token).AsTask();
        await leaving.CancelAsync();
        (await Should.ThrowAsync<OperationCanceledException>(waiting)).CancellationToken.ShouldBe(leaving.Token);
        authority.Exit(held.Pass, CallOutcome.Succeeded);
        (await Should.ThrowAsync<OperationCanceledException>(async () => await authority.EnterAsync(leaving.Token))).CancellationToken.ShouldBe(leaving.Token);
        var snapshot = authority.Bulkhead.Snapshot();
        (snapshot.InFlight, snapshot.Queued).ShouldBe((0, 0));
    }

    [Fact]
    public void EnterAsync_WithRoom_AllocatesNothing()
    {
        using OutboundFixture host = new(o => o.Bulkhead.MaxConcurrency = 10);
        Uri uri = new("https://prices.example/a");
        AllocatedBytes.Of(Run).ShouldBe(0);

        void Run()
        {
            for (var i = 0; i < 1000; i++)
            {
                var authority = host.Client.Of(uri);
                authority.Budget.Deposit();
                var entering = authority.EnterAsync(Never);
                authority.Exit(entering.Result.Pass, CallOutcome.Succeeded);
            }
        }
    }

    [Fact]
    public async Task Of_HundredThousandAuthorities_KeepsTheBoundAndTheOpenOnes()
    {
        using OutboundFixture host = new(o => o.CircuitBreaker.MaxPartitions = 1000);
        var open = host.Client.Of(new("http://open/"));
        open.CircuitBreaker.ForceOpen(TimeSpan.FromHours(1));
        for (var i = 0; i < 100_000; i++)
        {
            var authority = host.Client.Of(new($"http://host{i}/"));
            authority.Budget.Deposit();
            authority.Exit((await authority.EnterAsync(Never)).Pass, CallOutcome.Failed);
            if (i % 100 == 0)
            {
                host.Time.Advance(TimeSpan.FromSeconds(1));
            }
        }

        host.Client.AuthorityCount.ShouldBe(1000);
        host.Client.CircuitBreaker.Partitions!.Count.ShouldBe(1000);
        host.Client.Of(new("http://open/")).ShouldBeSameAs(open);
        host.Client.Authorities().Count.ShouldBe(100);
        host.Client.Authorities().ShouldContain(open);
        host.Client.Bulkhead.Snapshot().InFlight.ShouldBe(0);
    }

    [Fact]
    public async Task Of_NoRoom_SharesTheOtherUntilAnAuthorityRests()
    {
        using OutboundFixture host = new(o => o.CircuitBreaker.MaxPartitions = 1);
        var first = host.Client.Of(new("http://a/"));
        var held = await first.EnterAsync(Never);
        host.Time.Advance(TimeSpan.FromHours(1));
        host.Client.Of(new("http://b/"));
        var other = host.Client.Of(new("http://b/"));
        (other.Authority, other.CircuitBreaker).ShouldBe(("other", host.Client.CircuitBreaker.Partitions!.Other));
        host.Client.Of(new("http://c/")).ShouldBeSameAs(other);

        first.Exit(held.Pass, CallOutcome.Ignored);
        host.Client.Of(new("http://b/")).Authority.ShouldBe("http://b:80");
        host.Client.Authorities().Select(authority => authority.Authority).Order(StringComparer.Ordinal).ShouldBe(["http://b:80", "other"]);
        host.Client.Of(new("http://a/")).ShouldNotBeSameAs(first);
    }

    [Fact]
    public void Of_RetriesSpentLately_AreNotForgottenByEviction()
    {
        using OutboundFixture host = new(o => (o.CircuitBreaker.MaxPartitions, o.CircuitBreaker.Mode) = (1, CircuitMode.Disabled));
        var first = host.Client.Of(new("http://a/"));
        first.Budget.TryWithdraw().ShouldBeTrue();
        host.Client.Of(new("http://b/"));
        host.Client.Of(new("http://b/")).Authority.ShouldBe("other");
        host.Time.Advance(TimeSpan.FromSeconds(11));
        host.Client.Of(new("http://b/")).Authority.ShouldBe("http://b:80");
    }

    [Fact]
    public async Task Isolate_WholeClient_RefusesEveryAuthorityAndNewOnes()
    {
        using OutboundFixture host = new();
        host.Client.Of(new("http://a/"));
        host.CircuitBreakers.All.ShouldContain(host.Client.CircuitBreaker);
        host.Client.CircuitBreaker.Isolate();
        (await host.Client.Of(new("http://a/")).EnterAsync(Never)).Refusal!.Value.Reason.ShouldBe(RefusalReason.CircuitOpen);
        (await host.Client.Of(new("http://new/")).EnterAsync(Never)).Refusal!.Value.Reason.ShouldBe(RefusalReason.CircuitOpen);
        host.Client.CircuitBreaker.Partitions!.TryGet("http://a:80", out var circuit).ShouldBeTrue();
        circuit.Reset();
        (await host.Client.Of(new("http://a/")).EnterAsync(Never)).IsAdmitted.ShouldBeTrue();
    }

    [Fact]
    public async Task Apply_OtherOptions_ReachesEveryAuthorityInPlace()
    {
        using OutboundFixture host = new(o => o.Bulkhead.MaxConcurrency = 10);
        var authority = host.Client.Of(new("http://a/"));
        var held = await authority.EnterAsync(Never);
        authority.CircuitBreaker.ForceOpen(TimeSpan.FromMinutes(1));
        var before = host.Client.Policy;
        host.Apply(o =>
        {
            o.Bulkhead.MaxConcurrency = 3;
            o.CircuitBreaker.HalfOpenProbes = 9;
            o.Retry.BudgetFloor = 0;
            o.TotalTimeout = TimeSpan.FromSeconds(3);
        });

        host.Client.Of(new("http://a/")).ShouldBeSameAs(authority);
        (authority.CircuitBreaker.State, authority.CircuitBreaker.Policy.HalfOpenProbes).ShouldBe((CircuitState.Open, 9));
        (authority.Bulkhead.Limit, authority.Bulkhead.Snapshot().InFlight).ShouldBe((3, 1));
        authority.Budget.TryWithdraw().ShouldBeFalse();
        (host.Client.Policy.TotalTimeout, before.TotalTimeout).ShouldBe((TimeSpan.FromSeconds(3), TimeSpan.FromSeconds(30)));
        host.Client.Of(new("http://new/")).Bulkhead.Limit.ShouldBe(3);
        authority.Exit(held.Pass, CallOutcome.Ignored);
    }

    [Fact]
    public void Apply_SameInstance_LeavesThePolicyAlone()
    {
        using OutboundFixture host = new();
        var options = OutboundFixture.Options(null);
        Dictionary<string, HttpClientResilienceOptions> named = new(StringComparer.OrdinalIgnoreCase) { ["PRICING"] = options };
        host.Clients.Apply(new(true, new(), named));
        var policy = host.Client.Policy;
        host.Clients.Apply(new(true, new(), named));
        host.Client.Policy.ShouldBeSameAs(policy);
        host.Clients.Apply(new(false, new(), named));
        host.Client.Policy.Enabled.ShouldBeFalse();
    }

    [Fact]
    public void Unused_NamesOfNoClient_AreThoseNeitherRegisteredNorInherited()
    {
        using OutboundFixture host = new();
        Dictionary<string, HttpClientResilienceOptions> named = new[] { "pricing", "stock", "typo", "base" }.ToDictionary(name => name, _ => new HttpClientResilienceOptions());
        host.Clients.Apply(new(true, new(), named) { Bases = new HashSet<string> { "base" } });
        host.Clients.GetOrAdd("stock");
        host.Clients.Unused(new HashSet<string> { "pricing" }).ShouldBe(["typo"]);
    }

    [Fact]
    public async Task Metrics_OfManyAuthorities_AreSumsUnderTheClientsName()
    {
        using OutboundFixture host = new(o => o.Bulkhead.MaxConcurrency = 1);
        var (a, b) = (host.Client.Of(new("http://a/")), host.Client.Of(new("http://b/")));
        var held = await a.EnterAsync(Never);
        await b.EnterAsync(Never);
        await a.EnterAsync(Never);
        await b.EnterAsync(Never);
        host.Metrics.RecordObservableInstruments();
        Last(Instruments.BulkheadInFlight).ShouldBe(2);
        Last(Instruments.BulkheadLimit).ShouldBe(2);
        Last(Instruments.BulkheadRefusals, (Tags.RefusalReason, BulkheadTagValues.BulkheadFull)).ShouldBe(2);
        host.Logs.Entries.Count(entry => entry.Message.StartsWith("Bulkhead 'http:pricing' refused", StringComparison.Ordinal)).ShouldBe(1);
        host.Time.Advance(TimeSpan.FromSeconds(10));
        host.Logs.Entries.ShouldContain(entry => entry.Message.StartsWith("Bulkhead 'http:pricing' refused 1 more calls within 10 s: 2 calls inside, limit 2", StringComparison.Ordinal));
        a.Exit(held.Pass, CallOutcome.Ignored);

        double Last(string instrument, params ReadOnlySpan<(string Name, object? Value)> tags) =>
            host.Metrics.Of(instrument, [(Tags.BulkheadName, "http:pricing"), .. tags])[^1].Value;
    }
}
