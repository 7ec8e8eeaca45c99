using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using ResilientHost.Hosting;
using ResilientHost.Propagation;

namespace ResilientHost.Tests.Propagation;

/// <summary>What the calls made for a request learn of it, what its caller's time does to it, and what its answer says.</summary>
public sealed class InboundCallTests : IAsyncDisposable
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly ManualTimeProvider _time = new();
    private readonly WebApplication _app;
    private readonly MonotonicClock _clock;
    private InboundCall? _outside;
    private bool _isTrusted = true;
    private int _asked;
    private string? _retry;
    private bool _isStarted;

    public InboundCallTests()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseTestServer();
        builder.Services.AddSingleton<TimeProvider>(_time);
        builder.Services.AddInboundCallReader();
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Resilience:CircuitBreakers:db:MinimumThroughput"] = "100",
            ["Resilience:Bulkheads:db:MaxConcurrency"] = "1",
            ["Resilience:Bulkheads:db:QueueLength"] = "1",
            ["Resilience:Bulkheads:db:QueueTimeout"] = "01:00:00",
        });
        builder.AddResilienceLayers(options => options.TrustedCallers.IsTrusted = _ =>
        {
            _asked++;
            return _isTrusted;
        });
        _app = builder.Build();
        _clock = _app.Services.GetRequiredService<MonotonicClock>();
        _app.Use(async (HttpContext context, RequestDelegate next) =>
        {
            var task = next(context);
            _outside = InboundCall.Current;
            await task;
            _outside ??= InboundCall.Current;
        });
        _app.UseResilienceLayers();
    }

    [Fact]
    public async Task Current_InsideTheEndpoint_IsItsOwnAndGoneOutside()
    {
        InboundCall? first = null;
        InboundCall? later = null;
        Map(async _ =>
        {
            first = InboundCall.Current;
            await Task.Yield();
            later = InboundCall.Current;
        }).WithCriticality(Criticality.Critical);

        (await CallAsync((PropagationHeaders.Attempt, "3"))).ShouldBe("200");

        first.ShouldNotBeNull();
        later.ShouldBeSameAs(first);
        _outside.ShouldBeNull();
        (first.Attempt, first.Criticality, first.Deadline).ShouldBe((3, Criticality.Critical, long.MaxValue));
    }

    [Fact]
    public async Task Current_EndpointCompletesAtOnceOrThrowsAtOnce_IsGoneOutside()
    {
        Map(static context => context.Request.Headers.ContainsKey("Throw") ? throw new InvalidOperationException() : Task.CompletedTask);

        (await CallAsync()).ShouldBe("200");
        _outside.ShouldBeNull();
        (await CallAsync(("Throw", "now"))).ShouldStartWith("500");
        _outside.ShouldBeNull();
    }

    [Fact]
    public async Task Deadline_CallersAndEndpoints_IsTheEarlierOne()
    {
        List<TimeSpan> left = [];
        Map(_ =>
        {
            left.Add(_clock.Elapsed(_clock.Timestamp(), InboundCall.Current!.Deadline));
            return Task.CompletedTask;
        }).WithTimeout(10 * Second);

        await CallAsync();
        await CallAsync((PropagationHeaders.Deadline, "2000"));
        await CallAsync((PropagationHeaders.Deadline, "20000"));
        _isTrusted = false;
        await CallAsync((PropagationHeaders.Deadline, "2000"));

        left.ShouldBe([10 * Second, 2 * Second, 10 * Second, 10 * Second]);
        _asked.ShouldBe(3);
    }

    [Fact]
    public async Task Deadline_ResponseHasBegun_IsLifted()
    {
        long before = 0;
        long after = 0;
        Map(async context =>
        {
            var call = InboundCall.Current!;
            before = call.Deadline;
            await context.Response.StartAsync();
            after = call.Deadline;
        }).WithTimeout(10 * Second);

        await CallAsync((PropagationHeaders.Deadline, "2000"));

        before.ShouldBeLessThan(long.MaxValue);
        after.ShouldBe(long.MaxValue);
    }

    [Fact]
    public async Task Deadline_FallbackOfAnEndpointWhoseTimeIsOver_HasTimeOfItsOwn()
    {
        TaskCompletionSource waiting = new(TaskCreationOptions.RunContinuationsAsynchronously);
        long left = 0;
        Map(async context =>
        {
            var hang = new TaskCompletionSource().Task.WaitAsync(context.RequestAborted);
            waiting.SetResult();
            await hang;
        }).WithTimeout(Second).WithFallback(context =>
        {
            left = InboundCall.Current!.Deadline;
            return context.Response.WriteAsync("spare");
        });

        var call = CallAsync();
        await waiting.Task.WaitAsync(Patience);
        _time.Advance(Second);

        (await call).ShouldBe("200 spare");
        left.ShouldBe(long.MaxValue);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Request_CallerHasNoTimeLeft_IsRefusedBeforeAnyLayerIfTrusted(bool isTrusted)
    {
        _isTrusted = isTrusted;
        var called = false;
        Map(_ =>
        {
            called = true;
            return Task.CompletedTask;
        });

        (await CallAsync((PropagationHeaders.Deadline, "0"))).ShouldStartWith(isTrusted ? "504 {\"type\":\"urn:resilient-host:problem:deadline-exceeded\"" : "200");

        called.ShouldBe(!isTrusted);
        ShouldHoldNothing(calls: isTrusted ? 0 : 1, failures: 0);
    }

    [Fact]
    public async Task Request_CallersTimeEndsWhileItRuns_IsCancelledAndIgnoredByTheCircuit()
    {
        TaskCompletionSource waiting = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Map(async context =>
        {
            var hang = new TaskCompletionSource().Task.WaitAsync(context.RequestAborted);
            waiting.SetResult();
            await hang;
        }).WithTimeout(10 * Second);

        var call = CallAsync((PropagationHeaders.Deadline, "2000"));
        await waiting.Task.WaitAsync(Patience);
        _time.Advance(2 * Second);

        (await call).ShouldContain("\"code\":\"deadline_exceeded\"");
        ShouldHoldNothing(calls: 0, failures: 0);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Request_CallLearnsOfTheEndOfTimeBeforeTheTimerDoes_IsTheSameTimeout(bool ofHttpClient)
    {
        var over = new Refusal(RefusalReason.DeadlineExceeded, "http:pricing", null);
        Map(_ => throw (ofHttpClient ? new OutboundRefusedException(over) : new RefusedException(over))).WithTimeout(10 * Second);

        (await CallAsync()).ShouldContain("\"code\":\"timeout\"");
        ShouldHoldNothing(calls: 1, failures: 1);
        (await CallAsync((PropagationHeaders.Deadline, "2000"))).ShouldContain("\"code\":\"deadline_exceeded\"");
        ShouldHoldNothing(calls: 1, failures: 1);
    }

    [Fact]
    public async Task Request_CallersTimeEndsInTheQueue_IsRefusedUncalled()
    {
        TaskCompletionSource entered = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource release = new(TaskCreationOptions.RunContinuationsAsynchronously);
        var calls = 0;
        Map(async _ =>
        {
            if (Interlocked.Increment(ref calls) == 1)
            {
                entered.SetResult();
                await release.Task;
            }
        });

        var first = CallAsync();
        await entered.Task.WaitAsync(Patience);
        var second = CallAsync((PropagationHeaders.Deadline, "1000"));
        var bulkhead = _app.Services.GetRequiredService<BulkheadRegistry>().Get("db");
        SpinWait.SpinUntil(() => bulkhead.Snapshot().Queued == 1, Patience).ShouldBeTrue();
        _time.Advance(Second);
        release.SetResult();

        (await first).ShouldBe("200");
        (await second).ShouldContain("\"code\":\"deadline_exceeded\"");
        calls.ShouldBe(1);
        ShouldHoldNothing(calls: 1, failures: 0);
    }

    [Fact]
    public async Task Request_TimeoutsSwitchedOffOrNoLayersWanted_CallersTimeIsNotHeeded()
    {
        Map(static _ => Task.CompletedTask).DisableResilience();
        Map(static _ => Task.CompletedTask, "/other");
        (await CallAsync((PropagationHeaders.Deadline, "0"))).ShouldBe("200");
        _app.Configuration["Resilience:Timeouts:Enabled"] = "false";
        ((IConfigurationRoot)_app.Configuration).Reload();

        (await CallAsync("/other", (PropagationHeaders.Deadline, "0"))).ShouldBe("200");
        _asked.ShouldBe(0);
    }

    [Theory]
    [InlineData(500, true, "no")]
    [InlineData(503, true, "no")]
    [InlineData(499, true, null)]
    [InlineData(500, false, null)]
    public async Task Answer_DependencyFailed_SaysNotToRetryAFailure(int status, bool failed, string? said)
    {
        Map(context =>
        {
            Note(failed);
            context.Response.StatusCode = status;
            return context.Response.WriteAsync("done");
        });

        (await CallAsync()).ShouldBe($"{status} done");
        _retry.ShouldBe(said);
    }

    [Fact]
    public async Task Answer_DependencyFailedAndTheEndpointThrows_ProblemSaysNotToRetry()
    {
        Map(static _ =>
        {
            Note(failed: true);
            throw new HttpRequestException();
        });

        (await CallAsync()).ShouldStartWith("500");
        _retry.ShouldBe("no");
    }

    [Fact]
    public async Task Answer_DependencyFailedAndAFallbackAnswers_SaysNothing()
    {
        Map(static _ =>
        {
            Note(failed: true);
            throw new HttpRequestException();
        }).WithFallback(static context => context.Response.WriteAsync("spare"));

        (await CallAsync()).ShouldBe("200 spare");
        _retry.ShouldBeNull();
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private static void Note(bool failed)
    {
        if (failed)
        {
            InboundCall.Current!.NoteDependencyFailure();
        }
    }

    private IEndpointConventionBuilder Map(RequestDelegate endpoint, string path = "/") => _app.MapGet(path, endpoint).WithBulkhead("db").WithCircuitBreaker("db");

    private Task<string> CallAsync(params (string Name, string Value)[] headers) => CallAsync("/", headers);

    private async Task<string> CallAsync(string path, params (string Name, string Value)[] headers)
    {
        if (!_isStarted)
        {
            _isStarted = true;
            await _app.StartAsync(TestContext.Current.CancellationToken);
        }

        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(path, UriKind.Relative));
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        using var response = await _app.GetTestClient().SendAsync(request, TestContext.Current.CancellationToken);
        _retry = response.Headers.TryGetValues(PropagationHeaders.Retry, out var values) ? string.Join(',', values) : null;
        return $"{(int)response.StatusCode} {await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)}".TrimEnd();
    }

    private void ShouldHoldNothing(int calls, int failures)
    {
        _app.Services.GetRequiredService<BulkheadRegistry>().Get("db").Snapshot().InFlight.ShouldBe(0);
        var circuit = _app.Services.GetRequiredService<CircuitBreakerRegistry>().Get("db").Snapshot();
        (circuit.Calls, circuit.Failures).ShouldBe((calls, failures));
    }
}
