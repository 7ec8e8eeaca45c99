using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using ResilientHost.Propagation;
using static ResilientHost.Tests.Outbound.HandlerTransport;

namespace ResilientHost.Tests.Outbound;

public class HandlerRetryTests
{
    [Fact]
    public async Task Get_FailedThenGood_IsAnsweredAfterTheDelay()
    {
        var discarded = new ObservedContent();
        await using var fixture = new HandlerFixture(new(Answering(HttpStatusCode.ServiceUnavailable, r => r.Content = discarded), Answering(HttpStatusCode.OK))).CountTimersFromHere();

        var sending = fixture.GetAsync();
        fixture.Time.Advance(TimeSpan.FromMilliseconds(199));
        fixture.Transport.Attempts.ShouldBe(1);
        fixture.Time.Advance(TimeSpan.FromMilliseconds(1));

        (await sending).StatusCode.ShouldBe(HttpStatusCode.OK);
        fixture.Transport.Attempts.ShouldBe(2);
        discarded.Disposals.ShouldBe(1);
        fixture.State.Counts.Retries.ShouldBe(1);
        fixture.ShouldHoldNothing();
    }

    [Theory]
    [InlineData("GET", 3)]
    [InlineData("HEAD", 3)]
    [InlineData("OPTIONS", 3)]
    [InlineData("TRACE", 3)]
    [InlineData("PUT", 3)]
    [InlineData("DELETE", 3)]
    [InlineData("QUERY", 3)]
    [InlineData("get", 3)]
    [InlineData("POST", 1)]
    [InlineData("PATCH", 1)]
    [InlineData("CONNECT", 1)]
    [InlineData("PURGE", 1)]
    public async Task Method_Failing_IsSentAsOftenAsItsMethodAllows(string method, int attempts)
    {
        await using var fixture = new HandlerFixture(new(Answering(HttpStatusCode.InternalServerError)), o => o.Retry.Delay = TimeSpan.Zero);

        (await fixture.SendAsync(new(method))).StatusCode.ShouldBe(HttpStatusCode.InternalServerError);

        fixture.Transport.Attempts.ShouldBe(attempts);
    }

    [Theory]
    [InlineData("key", null, false, 3)]
    [InlineData(" ", null, false, 1)]
    [InlineData(null, null, true, 3)]
    [InlineData(null, true, false, 3)]
    [InlineData("key", false, true, 1)]
    public async Task Post_Failing_IsSentAgainWhereSomeoneSaysThatItMay(string? key, bool? isIdempotent, bool nonIdempotent, int attempts)
    {
        await using var fixture = new HandlerFixture(new(Throwing(new HttpRequestException(HttpRequestError.ConnectionError))), o =>
        {
            o.Retry.Delay = TimeSpan.Zero;
            o.Retry.NonIdempotent = nonIdempotent;
        });
        var request = new HttpRequestMessage(HttpMethod.Post, HandlerFixture.Address).WithResilience(new() { IsIdempotent = isIdempotent });
        if (key is not null)
        {
            request.Headers.TryAddWithoutValidation("Idempotency-Key", key);
        }

        await Should.ThrowAsync<HttpRequestException>(fixture.Client.SendAsync(request));

        fixture.Transport.Attempts.ShouldBe(attempts);
    }

    [Theory]
    [InlineData(408, 3)]
    [InlineData(429, 3)]
    [InlineData(500, 3)]
    [InlineData(599, 3)]
    [InlineData(404, 1)]
    [InlineData(400, 1)]
    [InlineData(302, 1)]
    public async Task Status_OfEveryKind_IsAFailureOrNot(int status, int attempts)
    {
        await using var fixture = new HandlerFixture(new(Answering((HttpStatusCode)status)), o => o.Retry.Delay = TimeSpan.Zero);

        ((int)(await fixture.GetAsync()).StatusCode).ShouldBe(status);

        fixture.Transport.Attempts.ShouldBe(attempts);
        fixture.Authority.CircuitBreaker.Snapshot().Failures.ShouldBe(attempts == 1 ? 0 : 3);
    }

    [Theory]
    [InlineData("2", 2000)]
    [InlineData("0", 200)]
    [InlineData("-5", 200)]
    [InlineData("1.5", 200)]
    [InlineData("99999999999999999999", 10_000)]
    [InlineData("soon", 200)]
    [InlineData("3600", 10_000)]
    [InlineData("Tue, 01 Jan 2030 00:00:04 GMT", 4000)]
    [InlineData("Tue, 01 Jan 2019 00:00:04 GMT", 200)]
    public async Task RetryAfter_OfEveryForm_IsHeededWithinItsBounds(string retryAfter, int milliseconds)
    {
        await using var fixture = new HandlerFixture(
            new(Answering(HttpStatusCode.ServiceUnavailable, r => r.Headers.TryAddWithoutValidation("Retry-After", retryAfter)), Answering(HttpStatusCode.OK)));

        var sending = fixture.GetAsync();
        fixture.Time.Advance(TimeSpan.FromMilliseconds(milliseconds - 1));
        fixture.Transport.Attempts.ShouldBe(1);
        fixture.Time.Advance(TimeSpan.FromMilliseconds(1));

        (await sending).StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact]
    public async Task Retry_ThatCannotBeginInTime_IsNotWaitedFor()
    {
        await using var fixture = new HandlerFixture(
            new(Answering(HttpStatusCode.ServiceUnavailable, r => r.Headers.RetryAfter = new(TimeSpan.FromSeconds(5)))),
            o => o.TotalTimeout = TimeSpan.FromSeconds(5)).CountTimersFromHere();

        var response = await fixture.GetAsync();

        response.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        fixture.Transport.Attempts.ShouldBe(1);
        fixture.Authority.Budget.Spent.ShouldBe(0);
        fixture.ShouldHoldNothing();
    }

    [Fact]
    public async Task Budget_ThatIsSpent_LeavesTheFirstAnswer()
    {
        await using var fixture = new HandlerFixture(new(Answering(HttpStatusCode.BadGateway)), o =>
        {
            (o.Retry.Delay, o.Retry.Budget, o.Retry.BudgetFloor) = (TimeSpan.Zero, 0, 3);
            o.CircuitBreaker.Mode = CircuitMode.Disabled;
        });

        for (var call = 0; call < 10; call++)
        {
            (await fixture.GetAsync()).StatusCode.ShouldBe(HttpStatusCode.BadGateway);
        }

        fixture.Transport.Attempts.ShouldBe(13);
        fixture.State.Counts.BudgetExhausted.ShouldBe(9);
    }

    [Fact]
    public async Task Circuit_OpenedByTheAttempt_LeavesItsAnswer()
    {
        await using var fixture = new HandlerFixture(new(Answering(HttpStatusCode.BadGateway)), o => o.CircuitBreaker.ConsecutiveFailures = 2);

        var sending = fixture.GetAsync();
        fixture.Time.Advance(TimeSpan.FromMilliseconds(200));

        // It would have a third attempt, after a wait that ends long before the break.
        (await sending).StatusCode.ShouldBe(HttpStatusCode.BadGateway);
        fixture.Transport.Attempts.ShouldBe(2);

        var refused = await Should.ThrowAsync<OutboundRefusedException>(fixture.GetAsync());
        refused.Refusal.Reason.ShouldBe(RefusalReason.CircuitOpen);
        refused.Refusal.Source.ShouldBe("http:pricing");
        refused.Refusal.RetryAfter.ShouldNotBeNull();
        fixture.Transport.Attempts.ShouldBe(2);
        fixture.Authority.CircuitBreaker.Snapshot().Failures.ShouldBe(0);
        fixture.ShouldHoldNothing();
    }

    [Fact]
    public async Task Circuit_OpenedDuringTheWait_LeavesTheAnswerInHand()
    {
        var kept = new ObservedContent();
        await using var fixture = new HandlerFixture(new(Answering(HttpStatusCode.BadGateway, r => r.Content = kept)));

        var sending = fixture.GetAsync();
        fixture.Authority.CircuitBreaker.Isolate();
        fixture.Time.Advance(TimeSpan.FromMilliseconds(200));

        (await sending).StatusCode.ShouldBe(HttpStatusCode.BadGateway);
        kept.Disposals.ShouldBe(0);
        fixture.Transport.Attempts.ShouldBe(1);
        fixture.Authority.Budget.Spent.ShouldBe(0);
    }

    [Fact]
    public async Task Circuit_OpenedDuringTheWaitAfterAnException_RefusesAndTellsTheException()
    {
        var failure = new HttpRequestException(HttpRequestError.ConnectionError);
        await using var fixture = new HandlerFixture(new(Throwing(failure)));

        var sending = fixture.GetAsync();
        fixture.Authority.CircuitBreaker.Isolate();
        fixture.Time.Advance(TimeSpan.FromMilliseconds(200));

        var refused = await Should.ThrowAsync<OutboundRefusedException>(sending);
        refused.Refusal.Reason.ShouldBe(RefusalReason.CircuitOpen);
        refused.InnerException.ShouldBe(failure);
    }

    [Fact]
    public async Task Retry_WhileARetryIsServed_IsNotMade()
    {
        await using var fixture = new HandlerFixture(new(Answering(HttpStatusCode.ServiceUnavailable)), o => o.Retry.Delay = TimeSpan.Zero);
        var inbound = new InboundCall { Attempt = 2 };
        InboundCall.Current = inbound;

        await fixture.GetAsync();

        fixture.Transport.Attempts.ShouldBe(1);
        fixture.Transport.Sent[0].Headers.ShouldContain("Resilience-Attempt: 2");
        inbound.DependencyFailed.ShouldBeTrue();
    }

    [Theory]
    [InlineData(503, "no", 1)]
    [InlineData(503, "yes", 3)]
    [InlineData(503, null, 3)]
    [InlineData(429, "no", 3)]
    public async Task Answer_ThatAsksNotToBeAskedAgain_EndsTheCallAndIsPassedOn(int status, string? retry, int attempts)
    {
        await using var fixture = new HandlerFixture(
            new(Answering((HttpStatusCode)status, r => r.Headers.Add(PropagationHeaders.Retry, retry is null ? [] : [retry]))), o => o.Retry.Delay = TimeSpan.Zero);
        var inbound = new InboundCall();
        InboundCall.Current = inbound;

        await fixture.GetAsync();

        fixture.Transport.Attempts.ShouldBe(attempts);
        inbound.DependencyFailed.ShouldBeTrue();
    }

    [Fact]
    public async Task Failure_OfARequestThatMustNotBeMadeAgain_SaysNothingToTheCaller()
    {
        await using var fixture = new HandlerFixture(new(Answering(HttpStatusCode.ServiceUnavailable)));
        var inbound = new InboundCall();
        InboundCall.Current = inbound;

        await fixture.SendAsync(HttpMethod.Post);

        inbound.DependencyFailed.ShouldBeFalse();
    }

    [Fact]
    public async Task Message_ChangedOnTheWay_IsWhatItWasForEachAttempt()
    {
        await using var fixture = new HandlerFixture(
            new((request, _) =>
            {
                request.Method = HttpMethod.Get;
                request.RequestUri = new("https://elsewhere.example/b");
                request.Content = null;
                request.Headers.Authorization = null;
                request.Headers.Add("traceparent", "00-11111111111111111111111111111111-2222222222222222-01");
                request.Headers.Add("X-Inner", "1");
                return Task.FromResult(HandlerFixture.Answer(HttpStatusCode.ServiceUnavailable));
            }),
            o => o.Retry.Delay = TimeSpan.Zero);
        var request = new HttpRequestMessage(HttpMethod.Put, HandlerFixture.Address) { Content = new StringContent("body") };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", "secret");
        request.Headers.TryAddWithoutValidation("X-Many", ["a", "b"]);
        request.Headers.TryAddWithoutValidation("X-Odd", "ü\t?");

        await fixture.Client.SendAsync(request);

        fixture.Transport.Sent.Count.ShouldBe(3);
        var first = fixture.Transport.Sent[0];
        foreach (var (number, sent) in fixture.Transport.Sent.Index())
        {
            sent.ShouldBe(first with { Headers = number == 0 ? first.Headers : first.Headers + $"Resilience-Attempt: {number + 1}{Environment.NewLine}" });
        }

        first.Body.ShouldBe("body");
        first.Headers.ShouldContain("Bearer secret");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task HeadersOfABody_AddedToOnTheWay_AreWhatTheyWereForEachAttempt(bool isInMemory)
    {
        List<string> signatures = [];
        List<string> types = [];
        Task<HttpResponseMessage> Signing(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            request.Content!.Headers.Add("X-Signature", signatures.Count.ToString(CultureInfo.InvariantCulture));
            signatures.Add(string.Join(',', request.Content.Headers.GetValues("X-Signature")));
            types.Add(request.Content.Headers.ContentType!.ToString());
            request.Content.Headers.ContentType = null;
            return Task.FromResult(HandlerFixture.Answer(HttpStatusCode.ServiceUnavailable));
        }

        await using var fixture = new HandlerFixture(new(Signing), o => o.Retry.Delay = TimeSpan.Zero);
        HttpContent body = isInMemory ? new StringContent("body") : new StreamContent(new MemoryStream([1, 2, 3])) { Headers = { ContentType = new("text/plain") { CharSet = "utf-8" } } };

        (await fixture.SendAsync(HttpMethod.Put, body)).StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);

        signatures.ShouldBe(["0", "1", "2"]);
        types.ShouldAllBe(type => type == "text/plain; charset=utf-8");
        body.Headers.Contains("X-Signature").ShouldBeFalse();
    }

    [Theory]
    [InlineData(100, false, 3)]
    [InlineData(100, true, 3)]
    [InlineData(0, true, 3)]
    [InlineData(1024, true, 3)]
    [InlineData(1025, true, 1)]
    [InlineData(1025, false, 1)]
    [InlineData(500_000, true, 1)]
    public async Task Body_ReadOnce_IsSentAgainUpToItsLimitAndWholeInAnyCase(int length, bool isOfUnknownLength, int attempts)
    {
        await using var fixture = new HandlerFixture(new(Answering(HttpStatusCode.ServiceUnavailable)), o => (o.Retry.Delay, o.Retry.MaxReplayBytes) = (TimeSpan.Zero, 1024));
        var body = new string('x', length);
        var content = isOfUnknownLength ? new StreamContent(new OneWayStream(body)) : (HttpContent)new StringContent(body);

        var response = await fixture.SendAsync(HttpMethod.Put, content);

        response.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        fixture.Transport.Sent.Count.ShouldBe(attempts);
        fixture.Transport.Sent.ShouldAllBe(sent => sent.Body == body);
        response.RequestMessage!.Content.ShouldBeSameAs(content);
    }

    [Fact]
    public async Task Body_TooLongToBeKept_IsLetGoWhenTheCallIsRefused()
    {
        await using var fixture = new HandlerFixture(new(Answering(HttpStatusCode.OK)), o => o.Retry.MaxReplayBytes = 16);
        fixture.CountTimersFromHere();
        fixture.Authority.CircuitBreaker.Isolate();

        await Should.ThrowAsync<OutboundRefusedException>(fixture.SendAsync(HttpMethod.Put, new StreamContent(new OneWayStream(new string('x', 100)))));

        fixture.ShouldHoldNothing();
    }

    [Fact]
    public async Task Body_ThatCannotBeRead_IsTheCallersFailure()
    {
        await using var fixture = new HandlerFixture(new(Answering(HttpStatusCode.OK)));
        fixture.CountTimersFromHere();

        await Should.ThrowAsync<HttpRequestException>(fixture.SendAsync(HttpMethod.Put, new StreamContent(new OneWayStream(null))));

        fixture.Transport.Attempts.ShouldBe(0);
        fixture.Authority.CircuitBreaker.Snapshot().Calls.ShouldBe(0);
        fixture.ShouldHoldNothing();
    }

    [Fact]
    public async Task Delay_AtEveryAttempt_GrowsUpToItsBound()
    {
        await using var fixture = new HandlerFixture(
            new(Answering(HttpStatusCode.ServiceUnavailable)),
            o => (o.Retry.MaxAttempts, o.Retry.Delay, o.Retry.Backoff, o.Retry.MaxDelay) = (4, TimeSpan.FromSeconds(1), 10, TimeSpan.FromSeconds(3)));

        var sending = fixture.GetAsync();
        foreach (var (seconds, attempts) in new[] { (1, 2), (3, 3), (3, 4) })
        {
            fixture.Transport.Attempts.ShouldBe(attempts - 1);
            fixture.Time.Advance(TimeSpan.FromSeconds(seconds));
            await fixture.Transport.Arrival(attempts);
        }

        await sending;
    }

    /// <summary>Can be read once, tells no length; without a text it fails.</summary>
    private sealed class OneWayStream(string? text) : Stream
    {
        private int _at;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override int Read(byte[] buffer, int offset, int count)
        {
            if (text is null)
            {
                throw new IOException("The disk is gone.");
            }

            var taken = Math.Min(Math.Min(count, 700), text.Length - _at);
            System.Text.Encoding.ASCII.GetBytes(text, _at, taken, buffer, offset);
            _at += taken;
            return taken;
        }

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
