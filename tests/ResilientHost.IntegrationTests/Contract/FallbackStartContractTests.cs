using Microsoft.AspNetCore.Http.HttpResults;

namespace ResilientHost.IntegrationTests.Contract;

/// <summary>"Checked at start …": what starts, what does not, and what the error says.</summary>
public sealed class FallbackStartContractTests
{
    public static TheoryData<string, string[]> Refused() => new()
    {
        { "missing", ["'Nowhere'", "HTTP: GET /missing"] },
        { "overloaded", ["overload", "HTTP: GET /overloaded"] },
        { "generic", ["generic", "HTTP: GET /generic"] },
        { "instance", ["static", "HTTP: GET /instance"] },
        { "local", ["WithFallback", "HTTP: GET /local"] },
        { "local handler", ["WithFallback", "HTTP: GET /local-handler"] },
        { "unbindable", ["disposable", "HTTP: GET /unbindable"] },
        { "unbindable delegate", ["disposable", "HTTP: GET /unbindable-delegate"] },
        { "result", ["static string FallbackStartContractTests.Handlers.Text(int id)", "static int FallbackStartContractTests.Handlers.Number(int id)"] },
        { "result delegate", ["string", "int"] },
        { "wider result", ["Tea", "Drink"] },
        { "void for a value", ["string", "void"] },
        { "stale without layers", ["HTTP: GET /stale"] },
    };

    [Theory, MemberData(nameof(Refused))]
    public async Task Start_AFallbackThatCannotWork_IsRefused(string what, string[] expected)
    {
        var withoutLayers = what == "stale without layers";
        var error = await TestService.FailToStartAsync(new TestServiceSetup
        {
            UsesLayers = !withoutLayers,
            MapsStatus = false,
            Endpoints = app => Map(app, what),
        });

        foreach (var text in withoutLayers ? [.. expected, "UseResilienceLayers()"] : expected)
        {
            error.Contains(text, StringComparison.OrdinalIgnoreCase).ShouldBeTrue($"{text} in {error}");
        }
    }

    [Fact]
    public async Task Start_SeveralErrors_AreToldAtOnce()
    {
        var error = await TestService.FailToStartAsync(new TestServiceSetup
        {
            Endpoints = app =>
            {
                Map(app, "missing");
                Map(app, "overloaded");
                Map(app, "result");
            },
        });
        error.ShouldContain("GET /missing");
        error.ShouldContain("GET /overloaded");
        error.ShouldContain("GET /result");
    }

    [Fact]
    public async Task Start_AGroupsFallbackThatOneEndpointCouldNotReturn_NamesThatEndpoint()
    {
        var error = await TestService.FailToStartAsync(new TestServiceSetup
        {
            Endpoints = app =>
            {
                var group = app.MapGroup("/g").WithFallback(() => "spare");
                group.MapGet("/text", () => "real");
                group.MapGet("/number", () => 7);
            },
        });
        error.ShouldContain("GET /g/number");
        error.ShouldNotContain("GET /g/text");
    }

    [Theory]
    [InlineData("/assignable", "spare")]
    [InlineData("/derived", """{"leaves":1,"name":"t"}""")]
    [InlineData("/async", "spare")]
    [InlineData("/result", "spare")]
    [InlineData("/typed", "7")]
    [InlineData("/anything", "7")]
    [InlineData("/nullable", "7")]
    [InlineData("/request-delegate", "spare")]
    [InlineData("/writes", "spare")]
    [InlineData("/lambda", "named")]
    [InlineData("/capturing", "named")]
    [InlineData("/nested", "named")]
    [InlineData("/async-lambda", "named")]
    [InlineData("/method-group", "text 0")]
    [InlineData("/instance-handler", "named of service")]
    [InlineData("/generic-type", "named of String")]
    public async Task Start_AFallbackThatFits_AnswersInPlaceOfTheEndpoint(string path, string expected)
    {
        var captured = "x";
        await using var service = await TestService.StartAsync(app =>
        {
            app.MapGet("/assignable", object () => throw new InvalidOperationException()).WithFallback(object () => "spare");
            app.MapGet("/derived", Drink () => throw new InvalidOperationException()).WithFallback(Drink () => new Tea("t", 1));
            app.MapGet("/async", async ValueTask<string> () =>
            {
                await Task.Yield();
                throw new InvalidOperationException();
            }).WithFallback(async Task<string> () =>
            {
                await Task.Yield();
                return "spare";
            });
            app.MapGet("/result", string () => throw new InvalidOperationException()).WithFallback(() => Results.Text("spare"));
            app.MapGet("/typed", Results<Ok<string>, NotFound> () => throw new InvalidOperationException()).WithFallback(() => 7);
            app.MapGet("/anything", object () => throw new InvalidOperationException()).WithFallback(() => (object)7);
            app.MapGet("/nullable", int? () => throw new InvalidOperationException()).WithFallback(int () => 7);
            app.MapGet("/request-delegate", (RequestDelegate)(_ => throw new InvalidOperationException())).WithFallback(() => "spare");
            app.MapGet("/writes", string () => throw new InvalidOperationException()).WithFallback((HttpContext context) => context.Response.WriteAsync("spare"));
            app.MapGet("/lambda", [Fallback(nameof(Named))] string () => throw new InvalidOperationException());
            app.MapGet("/capturing", [Fallback(nameof(Named))] string () => throw new InvalidOperationException(captured));
            Action map = () =>
            {
                var inner = captured + "y";
                app.MapGet("/nested", [Fallback(nameof(Named))] string () => throw new InvalidOperationException(captured + inner));
            };
            map();
            app.MapGet("/async-lambda", [Fallback(nameof(Named))] async Task<string> () =>
            {
                await Task.Yield();
                throw new InvalidOperationException(captured);
            });
            app.MapGet("/method-group", Handlers.TextByAttribute);
            app.MapGet("/instance-handler", new Service().Get);
            app.MapGet("/generic-type", Generic<string>.Get);
        });

        var answer = await Answer.OfAsync(service, path);

        answer.ShouldBe(Answer.Spare(expected));
    }

    private static string Named() => "named";

    private static void Map(IEndpointRouteBuilder app, string what)
    {
        switch (what)
        {
            case "missing": app.MapGet("/missing", [Fallback("Nowhere")] () => "real"); break;
            case "overloaded": app.MapGet("/overloaded", Handlers.Overloaded); break;
            case "generic": app.MapGet("/generic", Handlers.Generic); break;
            case "instance": app.MapGet("/instance", new Service().GetWithInstance); break;
            case "local":
                _ = Spare();
                app.MapGet("/local", [Fallback("Spare")] () => "real");
                static string Spare() => "spare";
                break;
            case "local handler":
                app.MapGet("/local-handler", Handler);
                [Fallback("Elsewhere")]
                static string Handler() => "real";
                break;
            case "unbindable": app.MapGet("/unbindable", Handlers.Unbindable); break;
            case "unbindable delegate": app.MapGet("/unbindable-delegate", () => "real").WithFallback((IDisposable disposable) => $"{disposable}"); break;
            case "result": app.MapGet("/result", Handlers.Text); break;
            case "result delegate": app.MapGet("/result-delegate", () => "real").WithFallback(() => 7); break;
            case "wider result": app.MapGet("/wider", () => new Tea("t", 1)).WithFallback(() => new Drink("d")); break;
            case "void for a value": app.MapGet("/void", () => "real").WithFallback((int q) => { }); break;
            case "stale without layers": app.MapGet("/stale", () => "real").WithStaleFallback(TimeSpan.FromMinutes(1)); break;
        }
    }

    private static class Handlers
    {
        [Fallback(nameof(Number))]
        public static string Text(int id) => $"{id}";

        [Fallback(nameof(SpareText))]
        public static string TextByAttribute() => throw new InvalidOperationException();

        [Fallback("Two")]
        public static string Overloaded() => "real";

        [Fallback("Any")]
        public static string Generic() => "real";

        [Fallback(nameof(Needs))]
        public static string Unbindable() => "real";

        private static int Number(int id) => id;

        private static string SpareText(int? id) => $"text {id ?? 0}";

        private static string Two() => "a";

        private static string Two(int q) => $"{q}";

        private static string Any<T>() => typeof(T).Name;

        private static string Needs(IDisposable disposable) => $"{disposable}";
    }

    private sealed class Service
    {
        [Fallback(nameof(Spare))]
        public string Get() => throw new InvalidOperationException();

        [Fallback(nameof(InstanceSpare))]
        public string GetWithInstance() => "real";

        private static string Spare() => "named of service";

        private string InstanceSpare() => GetHashCode() == 0 ? "a" : "b";
    }

    private static class Generic<T>
    {
        [Fallback(nameof(Spare))]
        public static string Get() => throw new InvalidOperationException();

        private static string Spare() => $"named of {typeof(T).Name}";
    }

    private record Drink(string Name);

    private sealed record Tea(string Name, int Leaves) : Drink(Name);
}
