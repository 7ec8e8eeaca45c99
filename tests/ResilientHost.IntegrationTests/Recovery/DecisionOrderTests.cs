using Microsoft.AspNetCore.Diagnostics;

namespace ResilientHost.IntegrationTests.Recovery;

public sealed class DecisionOrderTests
{
    private sealed class Journal
    {
        public List<string> Calls { get; } = [];
    }

    private sealed class First(Journal journal) : IExceptionHandler
    {
        public ValueTask<bool> TryHandleAsync(HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
        {
            journal.Calls.Add("first");
            return new(false);
        }
    }

    private sealed class Second(Journal journal) : IExceptionHandler
    {
        public async ValueTask<bool> TryHandleAsync(HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
        {
            journal.Calls.Add("second");
            if (exception is not IOException)
            {
                return false;
            }

            httpContext.Response.StatusCode = StatusCodes.Status409Conflict;
            await httpContext.Response.WriteAsync("conflict, says the app", cancellationToken);
            return true;
        }
    }

    private sealed class Third(Journal journal) : IExceptionHandler
    {
        public ValueTask<bool> TryHandleAsync(HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
        {
            journal.Calls.Add("third");
            return new(false);
        }
    }

    private sealed class Throwing(Journal journal) : IExceptionHandler
    {
        public ValueTask<bool> TryHandleAsync(HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
        {
            journal.Calls.Add("throwing");
            httpContext.Response.Headers["X-Half"] = "done";
            throw new InvalidOperationException("canary-handler");
        }
    }

    private static TestServiceSetup WithHandlers(Journal journal, Action<IServiceCollection> handlers) => new()
    {
        Configuration = """{ "Recovery": { "StatusCodes": { "System.FormatException": 400 } } }""",
        Builder = builder => handlers(builder.Services.AddSingleton(journal)),
        Endpoints = app =>
        {
            app.MapGet("/application", string () => throw new IOException("canary-application"));
            app.MapGet("/mapped", string () => throw new FormatException("canary-format"));
            app.MapGet("/timeout", string () => throw new TimeoutException("canary-timeout"));
            app.MapGet("/other", string () => throw new InvalidOperationException("canary-other"));
        },
    };

    private static void AddThree(IServiceCollection services) =>
        services.AddExceptionHandler<First>().AddExceptionHandler<Second>().AddExceptionHandler<Third>();

    [Theory, OverBothWires]
    public async Task ExceptionHandler_Handles_ItsAnswerGoesOutAndLaterOnesAreNotAsked(Wire wire)
    {
        var journal = new Journal();
        await using var service = await TestService.StartAsync(WithHandlers(journal, AddThree));
        using var response = await service.GetAsync("/application", wire);
        response.StatusCode.ShouldBe(HttpStatusCode.Conflict);
        (await response.Content.ReadAsStringAsync()).ShouldBe("conflict, says the app");
        journal.Calls.ShouldBe(["first", "second"]);
        (await service.BreakerAsync("GET /application")).GetProperty("failureRatio").GetDouble().ShouldBe(0);
    }

    [Fact]
    public async Task ExceptionHandlers_AllDecline_TheProblemGoesOut()
    {
        var journal = new Journal();
        await using var service = await TestService.StartAsync(WithHandlers(journal, AddThree));
        using var response = await service.GetAsync("/other");
        await response.ShouldBeProblemAsync(500, "unhandled_exception");
        journal.Calls.ShouldBe(["first", "second", "third"]);
    }

    [Fact]
    public async Task Map_AnswerBelow500_IsFinal()
    {
        var journal = new Journal();
        await using var service = await TestService.StartAsync(WithHandlers(journal, AddThree));
        using var response = await service.GetAsync("/mapped");
        await response.ShouldBeProblemAsync(400, "unhandled_exception");
        journal.Calls.ShouldBeEmpty();
        (await service.BreakerAsync("GET /mapped")).GetProperty("failureRatio").GetDouble().ShouldBe(0);
    }

    [Fact]
    public async Task Map_AnswerOf500AndAbove_AsksTheHandlersFirst()
    {
        var journal = new Journal();
        await using var service = await TestService.StartAsync(WithHandlers(journal, AddThree));
        using var response = await service.GetAsync("/timeout");
        await response.ShouldBeProblemAsync(504, "unhandled_exception");
        journal.Calls.ShouldBe(["first", "second", "third"]);
    }

    [Theory, OverBothWires]
    public async Task ExceptionHandler_ThrowsItself_IsContained(Wire wire)
    {
        var journal = new Journal();
        await using var service = await TestService.StartAsync(WithHandlers(journal, services => services.AddExceptionHandler<Throwing>()));
        using var response = await service.GetAsync("/other", wire);
        await response.ShouldBeProblemAsync(500, "unhandled_exception");
        response.Headers.Contains("X-Half").ShouldBeFalse();
        (await response.Content.ReadAsStringAsync()).ShouldNotContain("canary");
        journal.Calls.ShouldBe(["throwing"]);
        service.LogsAbout("canary-other").Count.ShouldBe(1);
        await service.NothingHeldAsync();
    }
}
