using System.Net;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ResilientHost.Outbound;
using ResilientHost.Propagation;
using static ResilientHost.Tests.Outbound.HandlerTransport;

namespace ResilientHost.Tests.Outbound;

/// <summary>What is left of a call when it is over: of its layers, of its message, of its time.</summary>
public sealed class HandlerEndsTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task Answer_ThatThrowsWhenItIsLetGo_LeavesNothingHeld()
    {
        await using var fixture = new HandlerFixture(new(Answering(HttpStatusCode.OK, r => r.Content = new BrokenContent(10))), o => o.Retry.MaxAttempts = 1);
        fixture.CountTimersFromHere();

        await Should.ThrowAsync<HttpRequestException>(fixture.GetAsync());

        fixture.Authority.CircuitBreaker.Snapshot().Failures.ShouldBe(1);
        fixture.ShouldHoldNothing();
    }

    [Fact]
    public async Task AnswerBefore_ThatThrowsWhenItIsLetGo_DoesNotCostTheNextAttempt()
    {
        await using var fixture = new HandlerFixture(
            new(Answering(HttpStatusCode.ServiceUnavailable, r => r.Content = new BrokenContent(0)), Answering(HttpStatusCode.OK)), o => o.Retry.Delay = TimeSpan.Zero);
        fixture.CountTimersFromHere();

        (await fixture.GetAsync()).StatusCode.ShouldBe(HttpStatusCode.OK);

        fixture.ShouldHoldNothing();
    }

    [Fact]
    public async Task CertificateFault_WhoseLogThrows_LeavesNothingHeld()
    {
        var fault = new CertificateFault(CertificateFaultKind.Expired, "'prices.example' has expired");
        await using var fixture = new HandlerFixture(
            new(Throwing(new HttpRequestException(HttpRequestError.SecureConnectionError, "No connection.", new CertificateFaultException(fault)))),
            client: c => c.RemoveAllLoggers().Services.AddLogging(logging => logging.AddProvider(new BrokenLoggers())));

        await Should.ThrowAsync<Exception>(fixture.GetAsync());

        fixture.Authority.Bulkhead.Snapshot().InFlight.ShouldBe(0);
        fixture.Authority.CircuitBreaker.State.ShouldBe(CircuitState.Open);
    }

    [Theory]
    [InlineData("POST", 200)]
    [InlineData("POST", 401)]
    [InlineData("POST", 503)]
    [InlineData("POST", 0)]
    [InlineData("GET", 200)]
    [InlineData("GET", 401)]
    [InlineData("GET", 503)]
    [InlineData("GET", 0)]
    public async Task Message_WhenTheCallIsOver_SaysWhatTheApplicationWroteIntoIt(string method, int status)
    {
        var transport = new HandlerTransport(status == 0 ? Throwing(new HttpRequestException(HttpRequestError.ConnectionError)) : Answering((HttpStatusCode)status));
        await using var fixture = new HandlerFixture(transport, o => (o.IsPeer, o.Retry.Delay) = (true, TimeSpan.Zero));
        InboundCall.Current = Endpoint(fixture, Second, attempt: 2, Criticality.Critical);
        using var request = new HttpRequestMessage(new(method), HandlerFixture.Address) { Headers = { { "X-Own", "kept" }, { PropagationHeaders.Attempt, "1" } } };
        using var other = new HttpRequestMessage(new(method), HandlerFixture.Address);

        await TrySendAsync(fixture, request);
        await TrySendAsync(fixture, other);

        var sent = transport.Sent[0].Headers;
        new[] { "X-Own: kept", "Resilience-Attempt: 2", "Resilience-Deadline: 1000", "Resilience-Criticality: critical" }.ShouldAllBe(header => sent.Contains(header, StringComparison.Ordinal));
        request.Headers.Select(header => $"{header.Key}: {string.Join('|', header.Value)}").Order().ShouldBe(["Resilience-Attempt: 1", "X-Own: kept"]);
        other.Headers.ShouldBeEmpty();
    }

    [Fact]
    public async Task Message_ThatWasSentTwice_SaysNothingOfIt()
    {
        await using var fixture = new HandlerFixture(new(Answering(HttpStatusCode.ServiceUnavailable), Answering(HttpStatusCode.OK)), o => o.Retry.Delay = TimeSpan.Zero);
        using var request = new HttpRequestMessage(HttpMethod.Get, HandlerFixture.Address);

        (await fixture.Client.SendAsync(request)).StatusCode.ShouldBe(HttpStatusCode.OK);

        fixture.Transport.Sent[1].Headers.ShouldContain("Resilience-Attempt: 2");
        request.Headers.ShouldBeEmpty();
    }

    [Fact]
    public async Task Attempt_CutByTheTimeOfTheInboundCaller_SaysNothingOfTheDependency()
    {
        await using var fixture = new HandlerFixture(new(Hanging));
        fixture.CountTimersFromHere();
        InboundCall.Current = new() { CallersDeadline = fixture.Time.GetTimestamp() + Second.Ticks };

        var sending = fixture.GetAsync();
        fixture.Time.Advance(Second);

        (await Should.ThrowAsync<OutboundRefusedException>(sending)).Refusal.Reason.ShouldBe(RefusalReason.DeadlineExceeded);
        fixture.Authority.CircuitBreaker.Snapshot().Calls.ShouldBe(0);
        fixture.ShouldHoldNothing();
    }

    [Fact]
    public async Task Attempt_CutByTheTimeOfTheEndpoint_IsAFailureOfTheDependency()
    {
        await using var fixture = new HandlerFixture(new(Hanging));
        fixture.CountTimersFromHere();
        InboundCall.Current = Endpoint(fixture, Second);

        var sending = fixture.GetAsync();
        fixture.Time.Advance(Second);

        (await Should.ThrowAsync<OutboundRefusedException>(sending)).Refusal.Reason.ShouldBe(RefusalReason.DeadlineExceeded);
        fixture.Authority.CircuitBreaker.Snapshot().Failures.ShouldBe(1);
        fixture.ShouldHoldNothing();
    }

    [Theory]
    [InlineData(null)]
    [InlineData(0.05)]
    public async Task Attempt_CancelledBecauseTheTimeOfTheEndpointIsOver_IsAFailureOfTheDependency(double? hedging)
    {
        await using var fixture = new HandlerFixture(new(Hanging), o => o.Hedging.Delay = hedging is { } delay ? TimeSpan.FromHours(delay) : null);
        fixture.CountTimersFromHere();
        var inbound = Endpoint(fixture, Second);
        InboundCall.Current = inbound;
        using var aborted = new CancellationTokenSource(Second, fixture.Time);

        var sending = fixture.GetAsync(aborted.Token);
        fixture.Time.Advance(Second);

        (await Should.ThrowAsync<OperationCanceledException>(sending)).CancellationToken.ShouldBe(aborted.Token);
        SpinWait.SpinUntil(() => fixture.Authority.Bulkhead.Snapshot().InFlight == 0, Patience).ShouldBeTrue();
        fixture.Authority.CircuitBreaker.Snapshot().Failures.ShouldBe(1);
        fixture.Transport.Attempts.ShouldBe(1);
        inbound.DependencyFailed.ShouldBeTrue();
    }

    [Fact]
    public async Task Attempt_CancelledWhileTheEndpointHasTime_SaysNothingOfTheDependency()
    {
        await using var fixture = new HandlerFixture(new(Hanging));
        InboundCall.Current = Endpoint(fixture, Second);
        using var aborted = new CancellationTokenSource();

        var sending = fixture.GetAsync(aborted.Token);
        await aborted.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(sending);
        fixture.Authority.CircuitBreaker.Snapshot().Calls.ShouldBe(0);
    }

    [Fact]
    public async Task Calls_ThatAreRefused_BuyNoRetries()
    {
        await using var fixture = new HandlerFixture(new(Answering(HttpStatusCode.ServiceUnavailable)), o => (o.CircuitBreaker.ConsecutiveFailures, o.Retry.MaxAttempts) = (1, 1));
        await fixture.GetAsync();

        for (var i = 0; i < 20; i++)
        {
            await Should.ThrowAsync<OutboundRefusedException>(fixture.GetAsync());
        }

        fixture.Authority.Budget.Calls.ShouldBe(1);
    }

    [Fact]
    public async Task Token_OfABodyThatARedirectTookAway_IsNotUsedAgain()
    {
        var services = new ServiceCollection();
        services.AddResilienceLayers(new ConfigurationBuilder().Build());
        services.AddHttpClient("pricing").AddResilienceLayers();
        await using var provider = services.BuildServiceProvider();
        CancellationToken kept = default;
        var transport = new HandlerTransport(
            (request, token) =>
            {
                (request.Content, kept) = (null, token);
                return Answering(HttpStatusCode.OK)(request, token);
            },
            Hanging);
        using var invoker = new HttpMessageInvoker(new ResilienceHandler(
            provider.GetRequiredService<OutboundClients>().GetOrAdd("pricing"), provider.GetRequiredService<OutboundServices>(), new())
        { InnerHandler = transport });
        using var caller = new CancellationTokenSource();

        (await invoker.SendAsync(new(HttpMethod.Post, HandlerFixture.Address) { Content = new StringContent("body") }, CancellationToken.None)).Dispose();
        var next = invoker.SendAsync(new(HttpMethod.Get, HandlerFixture.Address), caller.Token);
        await caller.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(next);
        kept.IsCancellationRequested.ShouldBeFalse();
    }

    [Fact]
    public async Task SendAsync_UnderAContextThatIsBlocked_ComesToItsEnd()
    {
        await using var fixture = new HandlerFixture(new(Answering(HttpStatusCode.ServiceUnavailable), Answering(HttpStatusCode.OK)));

        var sending = Under(new DeafContext(), () => fixture.GetAsync());
        fixture.Time.Advance(Second);

        (await sending.WaitAsync(Patience)).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Send_UnderAContextThatIsBlocked_ComesToItsEnd()
    {
        using var first = new CancellationTokenSource();
        await using var fixture = new HandlerFixture(
            new(Hanging, Answering(HttpStatusCode.OK)), o => (o.Bulkhead.MaxConcurrency, o.Bulkhead.QueueLength, o.Bulkhead.QueueTimeout) = (1, 1, TimeSpan.FromMinutes(1)));
        var inside = fixture.GetAsync(first.Token);
        var context = new DeafContext();

        var waiting = Task.Run(() => Under(context, () =>
        {
            using var response = fixture.Client.Send(new(HttpMethod.Get, HandlerFixture.Address));
            SynchronizationContext.Current.ShouldBeSameAs(context);
            return response.StatusCode;
        }));
        SpinWait.SpinUntil(() => fixture.Authority.Bulkhead.Snapshot().Queued == 1, Patience).ShouldBeTrue();
        await first.CancelAsync();

        (await waiting.WaitAsync(Patience)).ShouldBe(HttpStatusCode.OK);
        await Should.ThrowAsync<OperationCanceledException>(inside);
    }

    private static InboundCall Endpoint(HandlerFixture fixture, TimeSpan time, int attempt = 1, Criticality criticality = Criticality.Default)
    {
        var inbound = new InboundCall { Attempt = attempt, Criticality = criticality };
        inbound.BeginEndpoint(fixture.Time.GetTimestamp() + time.Ticks);
        return inbound;
    }

    private static async Task TrySendAsync(HandlerFixture fixture, HttpRequestMessage request)
    {
        try
        {
            (await fixture.Client.SendAsync(request)).Dispose();
        }
        catch (HttpRequestException)
        {
            // As scripted.
        }
    }

    private static T Under<T>(SynchronizationContext context, Func<T> call)
    {
        var before = SynchronizationContext.Current;
        SynchronizationContext.SetSynchronizationContext(context);
        try
        {
            return call();
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(before);
        }
    }

    /// <summary>A context whose only thread waits: what is posted to it never runs.</summary>
    private sealed class DeafContext : SynchronizationContext
    {
        public override void Post(SendOrPostCallback d, object? state)
        {
        }
    }

    /// <summary>A body that cannot be read, and throws when it is disposed.</summary>
    private sealed class BrokenContent : HttpContent
    {
        public BrokenContent(long length) => Headers.ContentLength = length;

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => Task.FromException(new IOException("The connection was reset."));

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }

        protected override void Dispose(bool disposing)
        {
            base.Dispose(disposing);
            throw new InvalidOperationException("Broken.");
        }
    }

    /// <summary>Logging that fails where certificates are told of.</summary>
    private sealed class BrokenLoggers : ILoggerProvider, ILogger
    {
        private bool _isBroken;

        public ILogger CreateLogger(string categoryName) => new BrokenLoggers { _isBroken = categoryName.EndsWith(nameof(CertificateTelemetry), StringComparison.Ordinal) };

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (_isBroken)
            {
                throw new InvalidOperationException("The disk is full.");
            }
        }

        public void Dispose()
        {
        }
    }
}
