using System.Diagnostics.Metrics;
using System.Security.Authentication;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ResilientHost.Bulkheads;
using ResilientHost.CircuitBreaking;
using ResilientHost.Hosting;
using ResilientHost.Outbound;
using ResilientHost.Telemetry;

namespace ResilientHost.Tests.Outbound;

public sealed class CertificateWatchTests : IDisposable
{
    private static readonly Uri Prices = new("https://prices.example/list");
    private static readonly CertificateFault Expired = new(CertificateFaultKind.Expired, "The TLS certificate of 'prices.example' is not accepted: it expired");

    private readonly ManualTimeProvider _time = new();
    private readonly LogRecorder _logs = new();
    private readonly ServiceProvider _provider;
    private readonly CertificateWatches _watches;
    private readonly CertificateTelemetry _telemetry;
    private readonly MetricRecorder _metrics;
    private readonly MonotonicClock _clock;
    private readonly OutboundClients _clients;
    private readonly OutboundClient _client;

    public CertificateWatchTests()
    {
        _clock = new MonotonicClock(_time);
        var services = new ServiceCollection()
            .AddSingleton<TimeProvider>(_time)
            .AddSingleton(_clock)
            .AddLogging(logging => logging.SetMinimumLevel(LogLevel.Debug).AddProvider(_logs))
            .AddCircuitBreaking()
            .AddBulkheads()
            .AddCertificateWatches();
        services.AddSingleton<OutboundClients>();
        _provider = services.BuildServiceProvider();
        _watches = _provider.GetRequiredService<CertificateWatches>();
        _telemetry = _provider.GetRequiredService<CertificateTelemetry>();
        _metrics = new MetricRecorder(ResilienceDiagnostics.MeterName, _provider.GetRequiredService<IMeterFactory>());
        _clients = _provider.GetRequiredService<OutboundClients>();
        Apply(new());
        _client = _clients.GetOrAdd("pricing");
    }

    public void Dispose()
    {
        _metrics.Dispose();
        _provider.Dispose();
        _logs.Dispose();
    }

    [Fact]
    public void Fault_Closed_OpensAtOnceForTheCertificatesBreak()
    {
        var authority = _client.Of(Prices);

        Fail(authority, Enter(authority));

        var circuit = authority.CircuitBreaker.Snapshot();
        circuit.State.ShouldBe(CircuitState.Open);
        circuit.RetryAfter.ShouldBe(TimeSpan.FromMinutes(1));
        authority.Certificates!.Fault.ShouldBe(CertificateFaultKind.Expired);
        _client.Of(new Uri("https://prices.example:8443/")).CircuitBreaker.State.ShouldBe(CircuitState.Closed);
        var log = _logs.Entries.Single(entry => entry.EventId.Name == "CertificateNotAccepted");
        log.Level.ShouldBe(LogLevel.Error);
        log.Message.ShouldContain("HTTP client 'pricing' cannot call https://prices.example:443. The TLS certificate of 'prices.example' is not accepted: it expired. Its circuit breaks for 60 s");
    }

    [Fact]
    public void Fault_OfHandshakesUnderWayAtTheSameTime_BreaksOnce()
    {
        var authority = _client.Of(Prices);
        var permits = Enumerable.Range(0, 100).Select(_ => Enter(authority)).ToArray();

        foreach (var permit in permits)
        {
            _time.Advance(TimeSpan.FromMilliseconds(100));
            Fail(authority, permit);
        }

        authority.CircuitBreaker.Snapshot().RetryAfter.ShouldBe(TimeSpan.FromMinutes(1) - TimeSpan.FromMilliseconds(9_900));

        // Nor did they count as doublings: the next break is the second.
        _time.Advance(TimeSpan.FromMinutes(1));
        Fail(authority, Enter(authority));
        authority.CircuitBreaker.Snapshot().RetryAfter.ShouldBe(TimeSpan.FromMinutes(2));
    }

    [Fact]
    public void Fault_OnceTheBreakIsOver_LetsOneThroughAndDoublesUpToTheLimit()
    {
        var authority = _client.Of(Prices);
        Fail(authority, Enter(authority));

        foreach (var expected in (int[])[2, 2, 2])
        {
            _time.Advance(authority.CircuitBreaker.Snapshot().RetryAfter!.Value);
            var probe = Enter(authority);
            authority.CircuitBreaker.TryEnter(out _, out _).ShouldBeFalse();
            Fail(authority, probe);
            authority.CircuitBreaker.Snapshot().RetryAfter.ShouldBe(TimeSpan.FromMinutes(expected));
        }
    }

    [Fact]
    public void Fault_BreakLongerThanTheCircuitsMaximum_HoldsAsItIs()
    {
        Apply(new() { CertificateBreakDuration = TimeSpan.FromHours(1) });
        var authority = _client.Of(Prices);

        Fail(authority, Enter(authority));
        _time.Advance(TimeSpan.FromHours(1));
        Fail(authority, Enter(authority));

        authority.CircuitBreaker.Snapshot().RetryAfter.ShouldBe(TimeSpan.FromHours(1));
    }

    [Fact]
    public void Accepted_AfterAFault_ForgetsTheDoublings()
    {
        var authority = _client.Of(Prices);
        Fail(authority, Enter(authority));
        _time.Advance(TimeSpan.FromMinutes(1));

        var probe = Enter(authority);
        Accept(authority, TimeSpan.FromDays(90));
        authority.CircuitBreaker.Exit(probe, CallOutcome.Succeeded);

        authority.Certificates!.Fault.ShouldBeNull();
        _logs.Entries.ShouldContain(entry => entry.EventId.Name == "CertificateAcceptedAgain");
        Fail(authority, Enter(authority));
        authority.CircuitBreaker.Snapshot().RetryAfter.ShouldBe(TimeSpan.FromMinutes(1));
    }

    [Fact]
    public void Fault_OfARedirectsTarget_LeavesTheCircuitAlone()
    {
        var authority = _client.Of(Prices);
        foreach (var elsewhere in (Uri[])[new("https://elsewhere.example/"), new("https://prices.example:8443/"), new("/relative", UriKind.Relative)])
        {
            var explanation = _watches.Explain(_client, authority, Thrown(), elsewhere, Enter(authority));

            explanation.Fault.ShouldBeSameAs(Expired);
            authority.CircuitBreaker.State.ShouldBe(CircuitState.Closed);
            authority.Certificates!.Fault.ShouldBeNull();
        }
    }

    [Fact]
    public void Fault_OfAnAuthorityThatOthersShare_LeavesTheirCircuitAlone()
    {
        Apply(new() { CircuitBreaker = { MaxPartitions = 1 } });
        var client = _clients.GetOrAdd("hooks");
        client.Of(Prices).CircuitBreaker.Isolate();
        var shared = client.Of(new Uri("https://other.example/"));
        shared.Authority.ShouldBe("other");

        _watches.Explain(client, shared, Thrown(), new Uri("https://other.example/"), Enter(shared));

        shared.CircuitBreaker.State.ShouldBe(CircuitState.Closed);
    }

    [Fact]
    public void Fault_Isolated_StaysIsolated()
    {
        var authority = _client.Of(Prices);
        var permit = Enter(authority);
        authority.CircuitBreaker.Isolate();

        Fail(authority, permit);

        authority.CircuitBreaker.State.ShouldBe(CircuitState.Isolated);
        authority.Certificates!.Fault.ShouldBe(CertificateFaultKind.Expired);
    }

    [Theory]
    [InlineData(CircuitMode.Shadow)]
    [InlineData(CircuitMode.Disabled)]
    public void Fault_CircuitThatDoesNotRefuse_RefusesNothingAndDoesNotGrow(CircuitMode mode)
    {
        Apply(new() { CircuitBreaker = { Mode = mode } });
        var authority = _client.Of(Prices);
        for (var call = 0; call < 50; call++)
        {
            Fail(authority, Enter(authority));
        }

        authority.CircuitBreaker.TryEnter(out _, out _).ShouldBeTrue();
        if (mode == CircuitMode.Shadow)
        {
            authority.CircuitBreaker.Snapshot().RetryAfter.ShouldBe(TimeSpan.FromMinutes(1));
        }

        _logs.Entries.Count(entry => entry.EventId.Name == "CertificateNotAccepted").ShouldBeLessThanOrEqualTo(1);
    }

    [Fact]
    public void Fault_CircuitDisabledSinceTheCallBegan_IsSaidWithoutABreak()
    {
        var authority = _client.Of(Prices);
        var permit = Enter(authority);
        Apply(new() { CircuitBreaker = { Mode = CircuitMode.Disabled } });

        Fail(authority, permit);

        var log = _logs.Entries.Single(entry => entry.EventId.Name!.StartsWith("CertificateNotAccepted", StringComparison.Ordinal));
        log.Level.ShouldBe(LogLevel.Error);
        log.Message.ShouldNotContain("0 s");
        log.Message.ShouldContain("Its circuit stays as it is");
    }

    [Theory]
    [InlineData("tenant.example", CircuitState.Closed)]
    [InlineData("tenant.example:443", CircuitState.Closed)]
    [InlineData("PRICES.example", CircuitState.Open)]
    [InlineData("prices.example:8443", CircuitState.Open)]
    public async Task Fault_OfACallUnderAnotherHostName_LeavesTheCircuitAlone(string host, CircuitState state)
    {
        await using var fixture = new HandlerFixture(new(HandlerTransport.Throwing(Thrown())));
        var request = new HttpRequestMessage(HttpMethod.Get, HandlerFixture.Address);
        request.Headers.Host = host;

        await Should.ThrowAsync<HttpRequestException>(fixture.Client.SendAsync(request));

        fixture.Transport.Attempts.ShouldBe(1);
        fixture.Authority.CircuitBreaker.State.ShouldBe(state);
    }

    [Fact]
    public void Logger_ThatThrows_ChangesNothing()
    {
        var authority = _client.Of(Prices);
        using var telemetry = new CertificateTelemetry(new ThrowingLogger(), _clock, _provider.GetRequiredService<ResilienceMeter>());
        var watch = authority.Certificates = new CertificateWatch(_client, authority, _clock, telemetry);
        var permit = Enter(authority);

        Should.NotThrow(() => watch.NotAccepted(Expired, Prices, permit));
        authority.CircuitBreaker.State.ShouldBe(CircuitState.Open);
        Should.NotThrow(() => watch.Accepted(new(_clock.UtcNow + TimeSpan.FromDays(3), "CN=prices.example")));
        _time.Advance(TimeSpan.FromDays(2));
        Should.NotThrow(() => watch.Look(_clock.Timestamp()));
        _time.Advance(TimeSpan.FromDays(2));
        Should.NotThrow(() => watch.Look(_clock.Timestamp()));
        Should.NotThrow(() => telemetry.NotObserved("pricing", "none"));
    }

    [Fact]
    public void Explain_OtherFailures_ChangeNothing()
    {
        var authority = _client.Of(Prices);
        var thrown = new HttpRequestException(HttpRequestError.ConnectionError, "refused");

        _watches.Explain(_client, authority, thrown, Prices, Enter(authority)).ShouldBe(new(thrown, null));

        authority.Certificates.ShouldBeNull();
        authority.CircuitBreaker.State.ShouldBe(CircuitState.Closed);
    }

    [Fact]
    public void Expiry_WithinTheWarning_IsSaidOnceADay()
    {
        var authority = _client.Of(Prices);
        Accept(authority, TimeSpan.FromDays(13.5));
        Accept(authority, TimeSpan.FromDays(13.5));
        Warnings().ShouldBe(1);
        var log = _logs.Entries.Single(entry => entry.EventId.Name == "CertificateExpires");
        log.Level.ShouldBe(LogLevel.Warning);
        log.ValueOf("Days").ShouldBe(13.5);

        for (var hour = 0; hour < 23; hour++)
        {
            Advance(authority, TimeSpan.FromHours(1));
        }

        Warnings().ShouldBe(1);
        Advance(authority, TimeSpan.FromHours(2));
        Warnings().ShouldBe(2);
    }

    [Fact]
    public void Expiry_ReachedOnAConnectionThatLives_IsSaidWithoutAHandshake()
    {
        var authority = _client.Of(Prices);
        Accept(authority, TimeSpan.FromDays(30));
        Warnings().ShouldBe(0);

        Advance(authority, TimeSpan.FromDays(15.9));
        Warnings().ShouldBe(0);
        Advance(authority, TimeSpan.FromHours(3));
        Warnings().ShouldBe(1);

        Advance(authority, TimeSpan.FromDays(20));
        _logs.Entries.Count(entry => entry.EventId.Name == "CertificateExpired").ShouldBe(1);
    }

    [Fact]
    public void Expiry_WarningOfZero_IsNeverSaid()
    {
        Apply(new() { CertificateWarning = TimeSpan.Zero });
        var authority = _client.Of(Prices);

        Accept(authority, TimeSpan.FromMinutes(1));
        Advance(authority, TimeSpan.FromDays(3));

        Warnings().ShouldBe(0);
    }

    [Fact]
    public void Expiry_WarningReloaded_HoldsWithinTheHour()
    {
        var authority = _client.Of(Prices);
        Accept(authority, TimeSpan.FromDays(30));
        Apply(new() { CertificateWarning = TimeSpan.FromDays(60) });

        Advance(authority, TimeSpan.FromHours(1));

        Warnings().ShouldBe(1);
    }

    [Fact]
    public void Gauge_ShowsWhatIsLeft_NegativeAfterTheEnd()
    {
        var authority = _client.Of(Prices);
        Accept(authority, TimeSpan.FromDays(2));

        Gauge().ShouldBe(TimeSpan.FromDays(2).TotalSeconds);
        _time.Advance(TimeSpan.FromDays(3));
        Gauge().ShouldBe(-TimeSpan.FromDays(1).TotalSeconds);
        authority.Certificates!.NotAfter.ShouldBe(_clock.UtcNow - TimeSpan.FromDays(1));
    }

    [Fact]
    public void Gauge_MoreAuthoritiesThanItShows_IsBounded()
    {
        var kept = Enumerable.Range(0, 250).Select(index => _client.Of(new Uri($"https://host-{index}.example/"))).ToArray();
        foreach (var authority in kept)
        {
            Accept(authority, TimeSpan.FromDays(1));
        }

        _metrics.RecordObservableInstruments();

        _metrics.Of(ResilienceDiagnostics.Instruments.OutboundCertificateExpiry).Count.ShouldBe(CertificateTelemetry.MaxAuthorities);
        Warnings().ShouldBe(CertificateTelemetry.MaxAuthorities);
        GC.KeepAlive(kept);
    }

    [Fact]
    public void Faults_OfManyAuthorities_AreSummedUp()
    {
        for (var index = 0; index < 50; index++)
        {
            var uri = new Uri($"https://host-{index}.example/");
            var authority = _client.Of(uri);
            _watches.Explain(_client, authority, Thrown(), uri, Enter(authority));
        }

        _logs.Entries.Count(entry => entry.EventId.Name == "CertificateNotAccepted").ShouldBe(1);
        _time.Advance(TimeSpan.FromSeconds(10));
        _logs.Entries.Single(entry => entry.EventId.Name == "CertificateNotAcceptedMore").ValueOf("Count").ShouldBe(49L);
    }

    [Fact]
    public void Look_NothingToSay_AllocatesNothing()
    {
        var authority = _client.Of(Prices);
        Accept(authority, TimeSpan.FromDays(90));
        var now = _clock.CoarseTimestamp();
        AllocatedBytes.Of(() =>
        {
            for (var call = 0; call < 1_000; call++)
            {
                authority.Certificates!.Look(now);
            }
        }).ShouldBe(0);
    }

    [Fact]
    public void Observe_HandlerThatCannotBeLookedInto_IsSaidOnceAtDebug()
    {
        using var handler = new NoTransport();

        _watches.Observe(_client, handler);
        _watches.Observe(_client, null);

        var log = _logs.Entries.Single(entry => entry.EventId.Name == "CertificatesNotObserved");
        log.Level.ShouldBe(LogLevel.Debug);
        log.Message.ShouldContain("NoTransport");
    }

    [Fact]
    public void Observe_SharedHandler_IsTappedOnce()
    {
        using var handler = new SocketsHttpHandler();
        _watches.Observe(_client, handler);
        var (validation, filter) = (handler.SslOptions.RemoteCertificateValidationCallback, handler.PlaintextStreamFilter);

        using var wrapped = new Wrapper(handler);
        _watches.Observe(_client, wrapped);
        _watches.Observe(_clients.GetOrAdd("other-client"), handler);

        handler.SslOptions.RemoteCertificateValidationCallback.ShouldBeSameAs(validation);
        handler.PlaintextStreamFilter.ShouldBeSameAs(filter);
    }

    [Fact]
    public void Observe_HandlersThatShareTheirSslOptions_AreTappedEach()
    {
        var shared = new System.Net.Security.SslClientAuthenticationOptions();
        Func<SocketsHttpPlaintextStreamFilterContext, CancellationToken, ValueTask<Stream>> own = static (context, _) => ValueTask.FromResult(context.PlaintextStream);
        using var first = new SocketsHttpHandler { SslOptions = shared };
        using var second = new SocketsHttpHandler { SslOptions = shared, PlaintextStreamFilter = own };

        _watches.Observe(_client, first);
        var validation = shared.RemoteCertificateValidationCallback;
        _watches.Observe(_client, second);
        var filter = second.PlaintextStreamFilter;
        _watches.Observe(_client, second);

        shared.RemoteCertificateValidationCallback.ShouldBeSameAs(validation);
        filter.ShouldNotBeSameAs(own);
        filter.ShouldNotBeSameAs(first.PlaintextStreamFilter);
        second.PlaintextStreamFilter.ShouldBeSameAs(filter);
        _logs.Entries.ShouldNotContain(entry => entry.EventId.Name == "CertificatesNotObserved");
    }

    private static HttpRequestException Thrown() => new(HttpRequestError.SecureConnectionError, "The SSL connection could not be established.", new CertificateFaultException(Expired, new AuthenticationException()));

    private static CircuitPermit Enter(OutboundAuthority authority)
    {
        authority.CircuitBreaker.TryEnter(out var permit, out _).ShouldBeTrue();
        return permit;
    }

    private void Apply(HttpClientResilienceOptions options) => _clients.Apply(new(true, options, new Dictionary<string, HttpClientResilienceOptions>()));

    private void Fail(OutboundAuthority authority, in CircuitPermit permit)
    {
        _watches.Explain(_client, authority, Thrown(), Prices, permit).Fault.ShouldNotBeNull();
        authority.CircuitBreaker.Exit(permit, CallOutcome.Failed);
    }

    private void Accept(OutboundAuthority authority, TimeSpan left)
    {
        authority.Certificates ??= new CertificateWatch(_client, authority, _clock, _telemetry);
        authority.Certificates.Accepted(new(_clock.UtcNow + left, "CN=prices.example"));
    }

    private void Advance(OutboundAuthority authority, TimeSpan by)
    {
        _time.Advance(by);
        authority.Certificates!.Look(_clock.CoarseTimestamp());
    }

    private int Warnings() => _logs.Entries.Count(entry => entry.EventId.Name is "CertificateExpires" or "CertificateExpired");

    private double? Gauge()
    {
        _metrics.RecordObservableInstruments();
        return _metrics.Last(
            ResilienceDiagnostics.Instruments.OutboundCertificateExpiry,
            (ResilienceDiagnostics.Tags.OutboundClient, "pricing"),
            (ResilienceDiagnostics.Tags.ServerAddress, "prices.example"),
            (ResilienceDiagnostics.Tags.ServerPort, 443));
    }

    private sealed class NoTransport : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => Task.FromResult(new HttpResponseMessage());
    }

    private sealed class Wrapper(HttpMessageHandler inner) : DelegatingHandler(inner);

    private sealed class ThrowingLogger : ILogger<CertificateTelemetry>
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            throw new InvalidOperationException("The log is full.");
    }
}
