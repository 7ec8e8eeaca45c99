using System.Diagnostics;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.Timeouts;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using ResilientHost.Fallbacks;
using ResilientHost.Pipeline;
using ResilientHost.Refusals;

namespace ResilientHost.Tests.Pipeline;

/// <summary>What a request that fails holds while others answer for it, and what those outside of the layers are told.</summary>
public sealed class FailedRequestTests : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ManualTimeProvider _time = new();
    private bool _isStarted;
    private Func<HttpContext, RequestDelegate, Task> _outside = static (context, next) => next(context);

    public FailedRequestTests()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseTestServer();
        builder.Services.AddSingleton<TimeProvider>(_time);
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["Resilience:CircuitBreakers:db:MinimumThroughput"] = "100",
            ["Resilience:CircuitBreakers:db:SlowCallDuration"] = "01:00:00",
            ["Resilience:Bulkheads:db:MaxConcurrency"] = "1",
        });
        builder.AddResilienceLayers();
        _app = builder.Build();
        _app.Use((HttpContext context, RequestDelegate next) => _outside(context, next));
        _app.UseResilienceLayers();
    }

    [Theory]
    [InlineData("throws")]
    [InlineData("answers")]
    [InlineData("times out")]
    public async Task Fallback_Runs_NeitherBulkheadNorCircuitIsHeld(string how)
    {
        TaskCompletionSource entered = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource release = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource waiting = new(TaskCreationOptions.RunContinuationsAsynchronously);
        var endpoint = Map(async context =>
        {
            context.Response.StatusCode = how == "answers" ? 503 : 200;
            if (how == "times out")
            {
                var hang = new TaskCompletionSource().Task.WaitAsync(context.RequestAborted);
                waiting.SetResult();
                await hang;
            }

            if (how == "throws")
            {
                throw new InvalidOperationException();
            }
        }).WithFallback(async context =>
        {
            entered.SetResult();
            await release.Task;
            await context.Response.WriteAsync("spare");
        });
        if (how == "times out")
        {
            endpoint.WithTimeout(TimeSpan.FromSeconds(2));
        }

        var call = CallAsync();
        if (how == "times out")
        {
            await waiting.Task;
            _time.Advance(TimeSpan.FromSeconds(2));
        }

        await entered.Task;
        ShouldHoldNothing(failures: 1);
        release.SetResult();

        (await call).ShouldBe("200 spare");
        ShouldHoldNothing(failures: 1);
    }

    // What a request falls back on is kept with its state, and the next request gets it.
    [Fact]
    public async Task Fallback_OfOneRequestAfterTheOther_KnowsItsOwnFailureAlone()
    {
        var call = 0;
        List<FallbackContext> seen = [];
        Map(_ => throw new InvalidOperationException($"{++call}")).WithFallback(context =>
        {
            seen.Add(context.Features.Get<FallbackContext>().ShouldNotBeNull());
            return call % 2 == 0 ? throw new TimeoutException() : context.Response.WriteAsync($"spare {call}");
        });

        (await CallAsync()).ShouldBe("200 spare 1");
        (await CallAsync()).ShouldStartWith("500 ");
        (await CallAsync()).ShouldBe("200 spare 3");

        seen.Select(static context => context.Exception.ShouldNotBeNull().Message).ShouldBe(["1", "2", "3"]);
        seen.ShouldAllBe(static context => context.Refusal == null && context.FailedStatusCode == null);
        ShouldHoldNothing(failures: 3, calls: 3);
    }

    [Fact]
    public async Task StaleFallback_FailuresThatNeverWrote_KeepNothingOfAnotherRequests()
    {
        var call = 0;
        Stream? late = null;
        Map(context =>
        {
            call++;
            if (call is 1 or 3)
            {
                throw new InvalidOperationException();
            }

            if (call == 2)
            {
                late = context.Response.Body;
                throw new InvalidOperationException();
            }

            if (call == 4)
            {
                Should.Throw<ObjectDisposedException>(() => late!.Write("late"u8));
                return context.Response.WriteAsync("good");
            }

            throw new InvalidOperationException();
        }).WithStaleFallback(TimeSpan.FromMinutes(5));

        for (var i = 0; i < 3; i++)
        {
            (await CallAsync()).ShouldStartWith("500 ");
        }

        (await CallAsync()).ShouldBe("200 good");
        Should.Throw<ObjectDisposedException>(() => late!.Write("late"u8));
        (await CallAsync()).ShouldBe("200 good");
        (await CallAsync()).ShouldBe("200 good");
        call.ShouldBe(6);
    }

    [Fact]
    public async Task Fallback_LeavesASpanCurrent_NothingIsSaidOfItThere()
    {
        Activity? left = null;
        Map(static _ => throw new InvalidOperationException()).WithFallback(_ =>
        {
            left = new Activity("left").Start();
            return Task.CompletedTask;
        });

        (await CallAsync()).ShouldBe("200 ");

        left.ShouldNotBeNull().IsAllDataRequested.ShouldBeTrue();
        (left.Status, left.Events.Count()).ShouldBe((ActivityStatusCode.Unset, 0));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Fallback_AnswersAStreamInPlaceOfAFailure_TheCircuitHearsOfTheFailure(bool refusedInside)
    {
        Map(_ => throw (refusedInside ? new RefusedException(new Refusal(RefusalReason.CircuitOpen, "inner", null)) : new InvalidOperationException()))
            .WithFallback(static context =>
            {
                context.Response.ContentType = "text/event-stream";
                return context.Response.WriteAsync("data: spare\n\n");
            });

        (await CallAsync(accept: "text/event-stream")).ShouldBe("200 data: spare\n\n");

        ShouldHoldNothing(failures: refusedInside ? 0 : 1, calls: refusedInside ? 0 : 1);
    }

    [Fact]
    public async Task Stream_RefusedInside_IsNoVerdictOnTheEndpoint()
    {
        Map(static _ => throw new RefusedException(new Refusal(RefusalReason.CircuitOpen, "inner", null))).Produces(200, contentType: "text/event-stream");

        (await CallAsync(accept: "text/event-stream")).ShouldStartWith("503 ");

        ShouldHoldNothing(failures: 0, calls: 0);
    }

    [Fact]
    public async Task FrameworkTimeout_CancellationIsWrapped_IsAFailureAndNoDeparture()
    {
        _outside = static async (context, next) =>
        {
            var server = context.RequestAborted;
            context.RequestAborted = new CancellationToken(canceled: true);
            context.Features.Set<IHttpRequestTimeoutFeature>(new FiredTimeout());
            try
            {
                await next(context);
            }
            finally
            {
                context.RequestAborted = server;
                context.Features.Set<IHttpRequestTimeoutFeature>(null);
            }
        };
        Map(static _ => throw new InvalidOperationException("driver", new TaskCanceledException()));

        (await CallAsync()).ShouldStartWith("500 ");

        ShouldHoldNothing(failures: 1);
    }

    [Fact]
    public async Task Answer_FailureWhoseStatusIsLoweredAfterItsFirstByte_IsAFailure()
    {
        Map(static async context =>
        {
            context.Response.StatusCode = 503;
            await context.Response.WriteAsync("broken");
            context.Response.StatusCode = 200;
        }).WithFallback(static context => context.Response.WriteAsync("spare"));

        (await CallAsync()).ShouldBe("200 spare");

        ShouldHoldNothing(failures: 1);
    }

    [Fact]
    public async Task Answer_StatusRaisedAfterAByteThatTheServerHolds_StandsAsItIs()
    {
        var asked = false;
        Map(static context =>
        {
            var writer = context.Response.BodyWriter;
            "half"u8.CopyTo(writer.GetSpan(4));
            writer.Advance(4);
            context.Response.StatusCode = 503;
            return Task.CompletedTask;
        }).WithFallback(_ =>
        {
            asked = true;
            return Task.CompletedTask;
        });

        (await CallAsync()).ShouldBe("503 half");

        asked.ShouldBeFalse();
        ShouldHoldNothing(failures: 1);
    }

    [Fact]
    public async Task Refused_FallbackEndsHalfway_MiddlewareOutsideIsTold()
    {
        TaskCompletionSource<Exception?> told = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _outside = async (context, next) =>
        {
            var body = context.Features.GetRequiredFeature<IHttpResponseBodyFeature>();
            context.Features.Set<IHttpResponseBodyFeature>(new StreamResponseBodyFeature(body.Stream, body));
            try
            {
                await next(context);
                told.SetResult(null);
            }
            catch (Exception exception)
            {
                told.SetResult(exception);
            }
        };
        Map(static _ => Task.CompletedTask).WithFallback(static async context =>
        {
            await context.Response.WriteAsync("half");
            await context.Response.Body.FlushAsync();
            throw new InvalidOperationException();
        });
        _app.Services.GetRequiredService<CircuitBreakerRegistry>().Get("db").Isolate();

        await Record.ExceptionAsync(() => CallAsync());

        (await told.Task).ShouldBeOfType<CutResponseException>();
    }

    [Fact]
    public async Task Fallback_ReturnsNoTask_TheFailureIsAnswered()
    {
        Map(static _ => throw new InvalidOperationException()).WithFallback(static _ => NoTask());

        (await CallAsync()).ShouldStartWith("500 {");
        ShouldHoldNothing(failures: 1);
    }

    [Fact]
    public async Task Timeout_OfARequestWhoseStateIsNotPooled_LeavesNoTimer()
    {
        Map(static context => context.Response.WriteAsync("fine")).WithTimeout(TimeSpan.FromHours(1));
        (await CallAsync()).ShouldBe("200 fine");
        var before = _time.ArmedTimers;

        for (var i = 0; i < 3; i++)
        {
            (await CallAsync(accept: "text/event-stream")).ShouldBe("200 fine");
        }

        _time.ArmedTimers.ShouldBeLessThanOrEqualTo(before);
    }

    [Fact]
    public async Task Stale_CallerReadsSlowly_HoldsNoPlaceAmongTheLookups()
    {
        var fails = false;
        TaskCompletionSource writing = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource read = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _outside = (context, next) =>
        {
            if (fails)
            {
                var body = context.Features.GetRequiredFeature<IHttpResponseBodyFeature>();
                context.Features.Set<IHttpResponseBodyFeature>(new StreamResponseBodyFeature(new SlowStream(body.Stream, writing, read.Task), body));
            }

            return next(context);
        };
        Map(context => fails ? throw new InvalidOperationException() : context.Response.WriteAsync("good")).WithStaleFallback(TimeSpan.FromMinutes(10));
        (await CallAsync()).ShouldBe("200 good");
        fails = true;

        var call = CallAsync();
        await writing.Task;
        _app.Services.GetRequiredService<EndpointFallbacksFactory>().Uses.ShouldHaveSingleItem().Stale.Snapshot().InFlight.ShouldBe(0);
        read.SetResult();

        (await call).ShouldBe("200 good");
    }

    [Fact]
    public async Task Fallback_OfARequestOfBeforeAReload_RunsUnderTheNewLimits()
    {
        TaskCompletionSource entered = new(TaskCreationOptions.RunContinuationsAsynchronously);
        TaskCompletionSource fail = new(TaskCreationOptions.RunContinuationsAsynchronously);
        Map(async _ =>
        {
            entered.SetResult();
            await fail.Task;
            throw new InvalidOperationException();
        }).WithFallback(static context => context.Response.WriteAsync("spare"));
        var call = CallAsync();
        await entered.Task;
        var use = _app.Services.GetRequiredService<EndpointFallbacksFactory>().Uses.ShouldHaveSingleItem();

        _app.Configuration["Resilience:Fallbacks:MaxConcurrency"] = "3";
        ((IConfigurationRoot)_app.Configuration).Reload();
        use.Apply(_app.Services.GetRequiredService<Func<FallbackPolicy>>()());
        fail.SetResult();

        (await call).ShouldBe("200 spare");
        use.Handler.Snapshot().Limit.ShouldBe(3);
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    private static Task NoTask() => Unsafe.As<Task>(null)!;

    private RouteHandlerBuilder Map(RequestDelegate endpoint) =>
        _app.MapGet("/", (Delegate)((HttpContext context) => endpoint(context))).WithBulkhead("db").WithCircuitBreaker("db");

    private async Task<string> CallAsync(string accept = "application/json")
    {
        if (!_isStarted)
        {
            _isStarted = true;
            await _app.StartAsync(TestContext.Current.CancellationToken);
        }

        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri("/", UriKind.Relative));
        request.Headers.Accept.ParseAdd(accept);
        using var response = await _app.GetTestClient().SendAsync(request, TestContext.Current.CancellationToken);
        return $"{(int)response.StatusCode} {await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)}";
    }

    private void ShouldHoldNothing(int failures, int calls = 1)
    {
        _app.Services.GetRequiredService<BulkheadRegistry>().Get("db").Snapshot().InFlight.ShouldBe(0);
        var circuit = _app.Services.GetRequiredService<CircuitBreakerRegistry>().Get("db").Snapshot();
        (circuit.Calls, circuit.Failures).ShouldBe((calls, failures));
    }

    private sealed class FiredTimeout : IHttpRequestTimeoutFeature
    {
        public CancellationToken RequestTimeoutToken { get; } = new(canceled: true);

        public void DisableTimeout()
        {
        }
    }

    private sealed class SlowStream(Stream inner, TaskCompletionSource writing, Task read) : MemoryStream
    {
        public override bool CanSeek => false;

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            writing.TrySetResult();
            await read;
            await inner.WriteAsync(buffer, cancellationToken);
        }
    }
}
