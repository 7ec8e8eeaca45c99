using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace ResilientHost.Tests.Recovery;

public partial class ExceptionRecoveryTests
{
    [Theory]
    [InlineData(409, CallOutcome.Succeeded)]
    [InlineData(500, CallOutcome.Failed)]
    [InlineData(503, CallOutcome.Failed)]
    public async Task RecoverAsync_HandlerAnswers_OutcomeFollowsItsStatus(int status, CallOutcome outcome)
    {
        var handler = new RecordingHandler(async context =>
        {
            context.Response.StatusCode = status;
            await context.Response.WriteAsync("mine");
            return true;
        });
        using var host = new RecoveryHost(services: services => services.AddSingleton<IExceptionHandler>(handler));
        var request = host.Request();
        request.Headers["X-Endpoint"] = "1";

        (await host.RecoverAsync(request, Thrown(() => new InvalidOperationException("boom")))).ShouldBe(outcome);

        request.BodyText.ShouldBe("mine");
        request.StatusCode.ShouldBe(status);
        request.Headers.ContainsKey("X-Endpoint").ShouldBeFalse();
        host.Log.Loud.Count.ShouldBe(status < 500 ? 0 : 1);
    }

    [Fact]
    public async Task RecoverAsync_Handlers_AreAskedInOrderUntilOneAnswers()
    {
        var asked = new List<int>();
        var handlers = Enumerable.Range(1, 3).Select(number => new RecordingHandler(context =>
        {
            asked.Add(number);
            context.Response.Headers[$"X-{number}"] = "1";
            return new ValueTask<bool>(number == 2);
        }));
        using var host = new RecoveryHost(services: services =>
        {
            foreach (var handler in handlers)
            {
                services.AddSingleton<IExceptionHandler>(handler);
            }
        });
        var request = host.Request();

        await host.RecoverAsync(request, Thrown(() => new InvalidOperationException("boom")));

        asked.ShouldBe([1, 2]);
        request.Headers.ContainsKey("X-1").ShouldBeFalse();
        request.Headers.ContainsKey("X-2").ShouldBeTrue();
    }

    [Fact]
    public async Task RecoverAsync_Handler_SeesTheExceptionFeaturesAndTheMappedStatus()
    {
        IExceptionHandlerPathFeature? seen = null;
        var status = 0;
        var handler = new RecordingHandler(context =>
        {
            seen = context.Features.Get<IExceptionHandlerPathFeature>();
            context.Features.Get<IExceptionHandlerFeature>().ShouldBeSameAs(seen);
            status = context.Response.StatusCode;
            return new ValueTask<bool>(false);
        });
        using var host = new RecoveryHost(services: services => services.AddSingleton<IExceptionHandler>(handler));
        var request = host.Request();
        request.Context.Request.Path = "/orders/1";
        var exception = Thrown(() => new TimeoutException());

        await host.RecoverAsync(request, exception);

        seen!.Error.ShouldBeSameAs(exception);
        seen.Path.ShouldBe("/orders/1");
        status.ShouldBe(504);
        request.Json.GetProperty("status").GetInt32().ShouldBe(504);
    }

    [Fact]
    public async Task RecoverAsync_HandlerThatThrows_IsContainedAndTheNextIsAsked()
    {
        var second = new RecordingHandler();
        using var host = new RecoveryHost(services: services => services
            .AddSingleton<IExceptionHandler>(new RecordingHandler(async context =>
            {
                context.Response.Headers["X-Half"] = "1";
                await context.Response.WriteAsync("half");
                throw new InvalidDataException("handler");
            }))
            .AddSingleton<IExceptionHandler>(second));
        var request = host.Request();

        (await host.RecoverAsync(request, Thrown(() => new InvalidOperationException("boom")))).ShouldBe(CallOutcome.Failed);

        second.Asked.ShouldBe(1);
        request.Json.GetProperty("code").GetString().ShouldBe("unhandled_exception");
        request.Headers.ContainsKey("X-Half").ShouldBeFalse();
        host.Log.Loud.Select(entry => entry.Id.Id).ShouldBe([1505, 1500]);
    }

    [Fact]
    public async Task RecoverAsync_HandlerThatStartsAndThrows_AbortsAndAsksNobodyElse()
    {
        var second = new RecordingHandler();
        FakeRequest? request = null;
        using var host = new RecoveryHost(services: services => services
            .AddSingleton<IExceptionHandler>(new RecordingHandler(_ =>
            {
                request!.HasStarted = true;
                throw new InvalidDataException("handler");
            }))
            .AddSingleton<IExceptionHandler>(second));
        request = host.Request();

        (await host.RecoverAsync(request, Thrown(() => new InvalidOperationException("boom")))).ShouldBe(CallOutcome.Failed);

        request.IsAborted.ShouldBeTrue();
        request.BodyText.ShouldBeEmpty();
        second.Asked.ShouldBe(0);
        host.Log.Loud.Select(entry => entry.Id.Id).ShouldBe([1505, 1501]);
    }

    [Fact]
    public async Task RecoverAsync_ScopedHandler_IsTakenFromTheRequest()
    {
        using var host = new RecoveryHost(services: services => services.AddScoped<IExceptionHandler>(_ => new RecordingHandler(context =>
        {
            context.Response.StatusCode = 418;
            return new ValueTask<bool>(true);
        })));
        var request = host.Request();
        using var scope = host.Services.CreateScope();
        request.Services = scope.ServiceProvider;

        (await host.RecoverAsync(request, Thrown(() => new InvalidOperationException("boom")))).ShouldBe(CallOutcome.Succeeded);

        request.StatusCode.ShouldBe(418);
    }

    private sealed class RecordingHandler(Func<HttpContext, ValueTask<bool>>? handle = null) : IExceptionHandler
    {
        public int Asked { get; private set; }

        public ValueTask<bool> TryHandleAsync(HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
        {
            Asked++;
            return handle is null ? new ValueTask<bool>(false) : handle(httpContext);
        }
    }
}
