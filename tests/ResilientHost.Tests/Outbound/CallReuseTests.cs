using System.Collections.Concurrent;
using System.Net;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using ResilientHost.Outbound;
using static ResilientHost.Tests.Outbound.HandlerTransport;

namespace ResilientHost.Tests.Outbound;

/// <summary>A call's object serves the next call: nothing of one may be met by another.</summary>
public sealed class CallReuseTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(1);

    [Fact]
    public void Call_ThatNobodyKeeps_ServesTheNextWithNothingInIt()
    {
        OutboundCalls calls = new();
        var call = Filled(calls);
        calls.Return(call);

        var next = calls.Rent();

        next.ShouldBeSameAs(call);
        next.HasReplay.ShouldBeFalse();
        next.IsMarked.ShouldBeFalse();
        foreach (var property in typeof(OutboundCall).GetProperties().Where(property => !property.PropertyType.IsValueType && property.Name is not (nameof(OutboundCall.Clock) or nameof(OutboundCall.Replay) or nameof(OutboundCall.Own))))
        {
            property.GetValue(next).ShouldBeNull(property.Name);
        }

        next.CallerToken.ShouldBe(CancellationToken.None);
        next.Sending.ShouldBe(default);
    }

    [Fact]
    public void Call_ThatSomebodyKeeps_StaysAsItIsAndServesNobodyElse()
    {
        OutboundCalls calls = new();
        var call = Filled(calls);
        var request = call.Request;
        call.Keep();
        calls.Return(call);

        calls.Rent().ShouldNotBeSameAs(call);
        call.Request.ShouldBeSameAs(request);
    }

    [Fact]
    public async Task Answer_ThatIsThereAtOnce_IsTheTransportsOwnTask()
    {
        await using var fixture = new HandlerFixture(new());
        var answer = Task.FromResult(HandlerFixture.Answer(HttpStatusCode.OK));
        using var invoker = Invoker(fixture, (_, _) => answer);

        Send(invoker).ShouldBeSameAs(answer);
        (await answer).RequestMessage!.RequestUri.ShouldBe(HandlerFixture.Address);
        fixture.ShouldHoldNothing();
    }

    [Fact]
    public void GoodCalls_AnsweredAtOnce_AllocateNothing()
    {
        var services = new ServiceCollection();
        services.AddResilienceLayers(new ConfigurationBuilder().Build());
        services.AddHttpClient("pricing").AddResilienceLayers();
        using var provider = services.BuildServiceProvider();
        var answer = Task.FromResult(HandlerFixture.Answer(HttpStatusCode.OK));
        using var transport = new Transport((_, _) => answer);
        using var handler = new ResilienceHandler(provider.GetRequiredService<OutboundClients>().GetOrAdd("pricing"), provider.GetRequiredService<OutboundServices>(), new()) { InnerHandler = transport };
        using var invoker = new HttpMessageInvoker(handler, disposeHandler: false);
        using var source = new CancellationTokenSource();
        using var request = new HttpRequestMessage(HttpMethod.Get, HandlerFixture.Address);
        _ = request.Options;
        const int Calls = 10_000;

        // A timer's callback may have been on its way when its source was given back.
        AllocatedBytes.LeastOf(Run).ShouldBeLessThan(Calls);

        void Run()
        {
            for (var call = 0; call < Calls; call++)
            {
                invoker.SendAsync(request, source.Token).IsCompletedSuccessfully.ShouldBeTrue();
            }
        }
    }

    [Fact]
    public async Task HedgedCall_WhoseSecondAttemptIsTheGoodOne_IsNotAnsweredWithTheFirst()
    {
        await using var fixture = new HandlerFixture(new(), o => o.Hedging.Delay = TimeSpan.FromMilliseconds(100));
        var attempts = 0;
        using var invoker = Invoker(fixture, (_, _) => Task.FromResult(HandlerFixture.Answer(++attempts == 1 ? HttpStatusCode.ServiceUnavailable : HttpStatusCode.OK)));

        (await Send(invoker)).StatusCode.ShouldBe(HttpStatusCode.OK);
        attempts.ShouldBe(2);
    }

    [Fact]
    public async Task Loser_ThatRunsOn_EndsAsPartOfItsOwnCall()
    {
        await using var fixture = new HandlerFixture(new(), o => o.Hedging.Delay = TimeSpan.FromMilliseconds(100));
        fixture.CountTimersFromHere();
        var late = new TaskCompletionSource<HttpResponseMessage>(TaskCreationOptions.RunContinuationsAsynchronously);
        var attempts = 0;
        using var invoker = Invoker(fixture, (_, _) => Interlocked.Increment(ref attempts) == 1 ? late.Task : Task.FromResult(HandlerFixture.Answer(HttpStatusCode.OK)));

        var hedged = Send(invoker);
        fixture.Time.Advance(TimeSpan.FromMilliseconds(100));
        using var answer = await hedged.WaitAsync(Patience);
        answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        fixture.Authority.Bulkhead.Snapshot().InFlight.ShouldBe(1);

        // On every thread that may have taken the call back.
        await Parallel.ForAsync(0, 64, async (_, token) => (await Send(invoker, new("https://others.example/"), token)).StatusCode.ShouldBe(HttpStatusCode.OK));

        var body = new HedgingBody();
        late.SetResult(new(HttpStatusCode.OK) { Content = body });
        await body.Disposed;
        fixture.Authority.CircuitBreaker.Snapshot().Calls.ShouldBe(2);
        SpinWait.SpinUntil(() => fixture.Authority.Bulkhead.Snapshot().InFlight == 0, Patience).ShouldBeTrue();
        fixture.ShouldHoldNothing();
    }

    [Fact]
    public async Task Call_AfterOneThatAskedForSomethingElse_IsUnderItsOwnTimeAndToken()
    {
        await using var fixture = new HandlerFixture(new(), o => (o.AttemptTimeout, o.Retry.MaxAttempts) = (TimeSpan.FromSeconds(10), 1));
        List<CancellationToken> tokens = [];
        using var invoker = Invoker(fixture, (request, token) =>
        {
            tokens.Add(token);
            return tokens.Count == 1 ? Task.FromResult(HandlerFixture.Answer(HttpStatusCode.OK)) : Hanging(request, token);
        });
        using var firsts = new CancellationTokenSource();
        using var asked = new HttpRequestMessage(HttpMethod.Get, HandlerFixture.Address).WithResilience(new() { AttemptTimeout = TimeSpan.FromSeconds(1), TotalTimeout = TimeSpan.FromSeconds(2) });

        invoker.SendAsync(asked, firsts.Token).IsCompletedSuccessfully.ShouldBeTrue();
        var second = Send(invoker);
        await firsts.CancelAsync();
        fixture.Time.Advance(TimeSpan.FromSeconds(10) - Tick);

        tokens[1].IsCancellationRequested.ShouldBeFalse();
        second.IsCompleted.ShouldBeFalse();
        fixture.Time.Advance(Tick);
        (await Should.ThrowAsync<OutboundRefusedException>(second.WaitAsync(Patience))).Refusal.Reason.ShouldBe(RefusalReason.Timeout);
    }

    [Fact]
    public async Task Request_ThatAsksForSomethingAfterOthersHaveNot_GetsIt()
    {
        await using var fixture = new HandlerFixture(new(Answering(HttpStatusCode.OK), Hanging));
        (await fixture.GetAsync()).StatusCode.ShouldBe(HttpStatusCode.OK);

        var asking = fixture.SendAsync(HttpMethod.Get, resilience: new() { TotalTimeout = TimeSpan.FromSeconds(1) });
        await fixture.Transport.Arrival(2);
        fixture.Time.Advance(TimeSpan.FromSeconds(1));

        (await Should.ThrowAsync<OutboundRefusedException>(asking.WaitAsync(Patience))).Refusal.Reason.ShouldBe(RefusalReason.Timeout);
        RequestResilience.IsInUse.ShouldBeTrue();
    }

    [Fact]
    public async Task Bodies_OfTwoCalls_EndWhenTheTimeOfEachIsOver()
    {
        ResponseBodySource[] bodies = [new(), new(), new()];
        var answered = 0;
        await using var fixture = new HandlerFixture(
            new((_, _) => Task.FromResult(new HttpResponseMessage(HttpStatusCode.OK) { Content = new StreamContent(bodies[answered++]) { Headers = { ContentType = new("text/plain") } } })),
            o => o.MinimumBodyRate = null);

        var first = fixture.Client.GetByteArrayAsync(HandlerFixture.Address);
        fixture.Time.Advance(TimeSpan.FromSeconds(60));
        var second = fixture.Client.GetByteArrayAsync(HandlerFixture.Address);
        var third = fixture.Client.GetByteArrayAsync(HandlerFixture.Address);
        fixture.Time.Advance(TimeSpan.FromSeconds(40));

        (await Should.ThrowAsync<OutboundRefusedException>(first.WaitAsync(Patience))).Refusal.Reason.ShouldBe(RefusalReason.Timeout);
        second.IsCompleted.ShouldBeFalse();
        bodies[2].Give(5);
        bodies[2].End();
        (await third.WaitAsync(Patience)).Length.ShouldBe(5);
        fixture.Time.Advance(TimeSpan.FromSeconds(60) - Tick);
        second.IsCompleted.ShouldBeFalse();
        fixture.Time.Advance(Tick);
        (await Should.ThrowAsync<OutboundRefusedException>(second.WaitAsync(Patience))).Refusal.Reason.ShouldBe(RefusalReason.Timeout);
    }

    [Theory]
    [InlineData("transport")]
    [InlineData("queue")]
    [InlineData("body")]
    [InlineData("retry")]
    public async Task Call_AfterOneThatWasCancelledWhereItWaited_IsAGoodOne(string where)
    {
        var body = new ResponseBodySource();
        var step = 0;
        await using var fixture = new HandlerFixture(new(), o =>
        {
            (o.Bulkhead.MaxConcurrency, o.Bulkhead.QueueLength, o.Bulkhead.QueueTimeout) = (1, 1, TimeSpan.FromMinutes(1));
            o.Retry.Delay = TimeSpan.FromSeconds(5);
        });
        fixture.CountTimersFromHere();
        using var invoker = Invoker(fixture, (request, token) => (step++, where) switch
        {
            (0, "transport" or "queue") => Hanging(request, token),
            (0, "retry") => Task.FromResult(HandlerFixture.Answer(HttpStatusCode.ServiceUnavailable)),
            (0, "body") => Task.FromResult(new HttpResponseMessage(HttpStatusCode.OK) { Content = new StreamContent(body) { Headers = { ContentLength = 10 } } }),
            _ => Task.FromResult(HandlerFixture.Answer(HttpStatusCode.OK)),
        });
        using var source = new CancellationTokenSource();
        using var inside = new CancellationTokenSource();
        var before = where == "queue" ? Send(invoker, cancellationToken: inside.Token) : null;
        var cancelled = Send(invoker, cancellationToken: source.Token);
        cancelled.IsCompleted.ShouldBeFalse();
        await source.CancelAsync();
        (await Should.ThrowAsync<OperationCanceledException>(cancelled.WaitAsync(Patience))).CancellationToken.ShouldBe(source.Token);
        await inside.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(before ?? cancelled);

        for (var call = 0; call < 3; call++)
        {
            using var answer = await Send(invoker).WaitAsync(Patience);
            answer.StatusCode.ShouldBe(HttpStatusCode.OK);
        }

        fixture.ShouldHoldNothing();
    }

    [Theory]
    [InlineData("throws")]
    [InlineData("fails")]
    [InlineData("null")]
    [InlineData("cancelled")]
    [InlineData("invalid")]
    [InlineData("refused")]
    [InlineData("status")]
    public async Task Call_ThatEndsBadlyAtOnce_IsAFaultedTaskAndIsGivenBackAtMostOnce(string how)
    {
        await using var fixture = new HandlerFixture(new(), o => o.Retry.MaxAttempts = 1);
        using var invoker = Invoker(fixture, (_, _) => how switch
        {
            "throws" => throw new InvalidOperationException("at once"),
            "fails" => Task.FromException<HttpResponseMessage>(new HttpRequestException("no")),
            "null" => Task.FromResult<HttpResponseMessage>(null!),
            _ => Task.FromResult(HandlerFixture.Answer(HttpStatusCode.ServiceUnavailable)),
        });
        if (how == "refused")
        {
            fixture.Authority.CircuitBreaker.Isolate();
        }

        using var request = new HttpRequestMessage(HttpMethod.Get, HandlerFixture.Address);
        if (how == "invalid")
        {
            request.Options.Set(RequestResilience.Key, new() { MaxAttempts = 0 });
        }

        var calls = fixture.Services.GetRequiredService<OutboundServices>().Calls;
        var sending = invoker.SendAsync(request, new(canceled: how == "cancelled"));

        sending.IsCompleted.ShouldBeTrue();
        sending.IsCanceled.ShouldBe(how == "cancelled");
        sending.IsFaulted.ShouldBe(how is not ("cancelled" or "status"));
        calls.Rent().ShouldNotBeSameAs(calls.Rent());
        var thrown = await Record.ExceptionAsync(() => sending);
        thrown?.GetType().ShouldBe(how switch
        {
            "throws" or "null" => typeof(InvalidOperationException),
            "fails" => typeof(HttpRequestException),
            "cancelled" => typeof(OperationCanceledException),
            "invalid" => typeof(ArgumentOutOfRangeException),
            _ => typeof(OutboundRefusedException),
        });
        fixture.Authority.Bulkhead.Snapshot().InFlight.ShouldBe(0);
    }

    [Fact]
    public async Task Calls_OfManyThreads_EachGetTheAnswerToTheirOwnRequest()
    {
        var services = new ServiceCollection();
        services.AddResilienceLayers(new ConfigurationBuilder().Build());
        services.AddHttpClient("pricing").AddResilienceLayers();
        await using var provider = services.BuildServiceProvider();
        var client = provider.GetRequiredService<OutboundClients>().GetOrAdd("pricing");
        ConcurrentDictionary<string, CancellationTokenSource> cancelling = new();
        using var transport = new Transport((request, token) => request.Headers.Contains("X-Waits") ? WaitAsync(request, token) : Task.FromResult(new HttpResponseMessage(HttpStatusCode.OK) { ReasonPhrase = request.RequestUri!.Query }));
        using var handler = new ResilienceHandler(client, provider.GetRequiredService<OutboundServices>(), new()) { InnerHandler = transport };
        using var invoker = new HttpMessageInvoker(handler, disposeHandler: false);

        await Parallel.ForAsync(0, 20_000, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (number, _) =>
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri($"https://prices.example/a?{number}"));
            if (number % 3 == 0)
            {
                request.Headers.Add("X-Waits", "1");
            }

            using var source = new CancellationTokenSource();
            if (number % 30 == 0)
            {
                request.Headers.Add("X-Cancels", "1");
                cancelling[request.RequestUri!.Query] = source;
                var thrown = await Should.ThrowAsync<OperationCanceledException>(invoker.SendAsync(request, source.Token));
                thrown.CancellationToken.ShouldBe(source.Token);
                return;
            }

            using var answer = await invoker.SendAsync(request, source.Token);
            answer.ReasonPhrase.ShouldBe($"?{number}");
            answer.RequestMessage.ShouldBeSameAs(request);
        });

        client.Of(HandlerFixture.Address).Bulkhead.Snapshot().InFlight.ShouldBe(0);

        async Task<HttpResponseMessage> WaitAsync(HttpRequestMessage request, CancellationToken token)
        {
            await Task.Yield();
            if (request.Headers.Contains("X-Cancels"))
            {
                await cancelling[request.RequestUri!.Query].CancelAsync();
            }

            token.ThrowIfCancellationRequested();
            return new HttpResponseMessage(HttpStatusCode.OK) { ReasonPhrase = request.RequestUri!.Query };
        }
    }

    private static OutboundCall Filled(OutboundCalls calls)
    {
        var under = new AttemptsUnderTest();
        var call = calls.Rent();
        var model = under.Call();
        foreach (var property in typeof(OutboundCall).GetProperties().Where(property => property.CanWrite && property.SetMethod!.IsPublic))
        {
            property.SetValue(call, property.GetValue(model));
        }

        call.CallerToken = new(canceled: true);
        call.Held = new();
        call.Answer = Task.FromResult(call.Held);
        call.Follow(new(new AttemptResult(AttemptEnd.Succeeded, call.Held, null)));
        call.Resilience = new();
        call.Inbound = new();
        call.Replay.Capture(call.Request, isShared: false);
        _ = call.Own;
        under.Dispose();
        return call;
    }

    private static HttpMessageInvoker Invoker(HandlerFixture fixture, Func<HttpRequestMessage, CancellationToken, Task<HttpResponseMessage>> answer) =>
        new(new ResilienceHandler(fixture.State, fixture.Services.GetRequiredService<OutboundServices>(), new()) { InnerHandler = new Transport(answer) }, disposeHandler: true);

    private static Task<HttpResponseMessage> Send(HttpMessageInvoker invoker, Uri? address = null, CancellationToken cancellationToken = default) =>
        invoker.SendAsync(new(HttpMethod.Get, address ?? HandlerFixture.Address), cancellationToken);

    /// <summary>Hands on what it is told to, without a task of its own.</summary>
    private sealed class Transport(Func<HttpRequestMessage, CancellationToken, Task<HttpResponseMessage>> answer) : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => answer(request, cancellationToken);
    }
}
