using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using ResilientHost.Fallbacks;

namespace ResilientHost.Tests.Fallbacks;

/// <summary>Fallbacks of minimal APIs that fit: who answers, and with what.</summary>
public sealed class FallbackBinderTests
{
    private int _instance;

    [Fact]
    public async Task Invoke_Delegate_BindsRouteQueryHeaderServiceAndContext()
    {
        await using var host = await FallbackBindingHost.StartAsync(
            app => app.MapGet("/products/{id}", Fail).WithFallback(
                (int id, string? color, [Microsoft.AspNetCore.Mvc.FromHeader(Name = "X-Tenant")] string? tenant, Catalog catalog, FallbackContext fallback) =>
                    $"{id} {color} {tenant} {catalog.Name} {fallback.Exception!.Message} {fallback.HttpContext.Request.Path}"),
            services => services.AddSingleton(new Catalog("catalog")));
        using var request = new HttpRequestMessage(HttpMethod.Get, "/products/7?color=red") { Headers = { { "X-Tenant", "t" } } };

        using var response = await host.Client.SendAsync(request);

        (await response.Content.ReadAsStringAsync()).ShouldBe("7 red t catalog down /products/7");
    }

    [Fact]
    public async Task Invoke_RequestDelegate_IsCalledAsItIs()
    {
        await using var host = await FallbackBindingHost.StartAsync(app => app.MapGet("/", Fail).WithFallback(static (HttpContext context) => context.Response.WriteAsync("mine")));

        (await host.GetAsync("/")).ShouldBe("mine");
        host.Bindings.ShouldHaveSingleItem().ReadsBody.ShouldBeFalse();
    }

    [Fact]
    public async Task Invoke_CapturingLambda_SeesWhatItCaptured()
    {
        var local = "local";
        _instance = 3;
        await using var host = await FallbackBindingHost.StartAsync(app => app.MapGet("/", Fail).WithFallback(() => $"{local} {_instance}"));

        (await host.GetAsync("/")).ShouldBe("local 3");
    }

    [Fact]
    public async Task Invoke_AsyncDelegates_AreAwaited()
    {
        await using var host = await FallbackBindingHost.StartAsync(app =>
        {
            app.MapGet("/task", Fail).WithFallback(async () =>
            {
                await Task.Yield();
                return "task";
            });
            app.MapGet("/value-task", Fail).WithFallback(static () => ValueTask.FromResult("value task"));
            app.MapGet("/result", Fail).WithFallback(static async () =>
            {
                await Task.Yield();
                return Results.Text("result", statusCode: 203);
            });
        });

        (await host.GetAsync("/task")).ShouldBe("task");
        (await host.GetAsync("/value-task")).ShouldBe("value task");
        (await host.GetAsync("/result")).ShouldBe("result");
    }

    [Fact]
    public async Task Invoke_OnGroup_AnswersEveryEndpointOfIt()
    {
        await using var host = await FallbackBindingHost.StartAsync(app =>
        {
            var group = app.MapGroup("/shops/{shop}").WithFallback((string shop) => Results.Text($"shop {shop}"));
            group.MapGet("/a", static () => new Product("a"));
            group.MapPost("/b", static (Product product) => product);
            group.MapGet("/c", static (HttpContext _) => Task.CompletedTask);
        });

        (await host.GetAsync("/shops/x/a")).ShouldBe("shop x");
        (await host.GetAsync("/shops/y/c")).ShouldBe("shop y");
        host.Bindings.Count.ShouldBe(3);
        host.Bindings.ShouldAllBe(binding => !binding.ReadsBody);
    }

    [Fact]
    public async Task Invoke_NamedByMethodGroup_FindsItInTheHandlersType()
    {
        await using var host = await FallbackBindingHost.StartAsync(app =>
        {
            app.MapGet("/public/{id}", Shop.Get);
            app.MapGet("/private/{id}", Shop.GetPrivately);
            app.MapGet("/request-delegate/{id}", Shop.Write);
            app.MapGet("/instance/{id}", new Shop().GetHere);
            app.MapGet("/generic/{id}", Generic<Product>.Get);
        });

        (await host.GetAsync("/public/1")).ShouldBe("""{"name":"default 1"}""");
        (await host.GetAsync("/private/2")).ShouldBe("""{"name":"private 2"}""");
        (await host.GetAsync("/request-delegate/3")).ShouldBe("""{"name":"default 3"}""");
        (await host.GetAsync("/instance/4")).ShouldBe("""{"name":"default 4"}""");
        (await host.GetAsync("/generic/5")).ShouldBe("Product");
    }

    [Fact]
    public async Task Invoke_NamedByLambda_FindsItInTheEnclosingType()
    {
        var captured = "x";
        await using var host = await FallbackBindingHost.StartAsync(app =>
        {
            app.MapGet("/static", [Fallback(nameof(GetDefault))] static () => "never");
            app.MapGet("/capturing", [Fallback(nameof(GetDefault))] () => captured + _instance);
            app.MapGet("/async", [Fallback(nameof(GetDefault))] async () =>
            {
                await Task.Yield();
                return captured;
            });
            Generic<int>.Map(app);
            Generic<int>.MapInMethod(app, 1L);
        });

        (await host.GetAsync("/static")).ShouldBe("default");
        (await host.GetAsync("/capturing")).ShouldBe("default");
        (await host.GetAsync("/async")).ShouldBe("default");
        (await host.GetAsync("/in-generic-type")).ShouldBe("Int32");
        (await host.GetAsync("/in-generic-method")).ShouldBe("Int32");
    }

    [Fact]
    public async Task Invoke_NamedByLocalFunction_FindsItInTheEnclosingType()
    {
        await using var host = await FallbackBindingHost.StartAsync(app => app.MapGet("/", Local));

        (await host.GetAsync("/")).ShouldBe("default");

        [Fallback(nameof(GetDefault))]
        static string Local() => "never";
    }

    [Theory]
    [InlineData("/products/x")] // not an int
    [InlineData("/required/1")] // a query value that the endpoint does not ask for
    public async Task Invoke_ParameterThatTheRequestLacks_FailsTheFallback(string path)
    {
        await using var host = await FallbackBindingHost.StartAsync(app =>
        {
            app.MapGet("/products/{id}", Fail).WithFallback(static (int id) => $"{id}");
            app.MapGet("/required/{id}", Fail).WithFallback(static ([Microsoft.AspNetCore.Mvc.FromQuery] int page) => $"{page}");
        });

        (await host.GetAsync(path)).ShouldStartWith("599 BadHttpRequestException");
    }

    [Fact]
    public async Task Invoke_FallbackThrows_PassesWhatItThrew()
    {
        await using var host = await FallbackBindingHost.StartAsync(app => app.MapGet("/", Fail).WithFallback(static string () => throw new NotSupportedException("no")));

        (await host.GetAsync("/")).ShouldBe("599 NotSupportedException: no");
    }

    [Fact]
    public async Task Invoke_BodyOfPost_IsBoundAndSaid()
    {
        await using var host = await FallbackBindingHost.StartAsync(app =>
        {
            app.MapPost("/inferred", Fail).WithFallback(static (Product product) => product.Name);
            app.MapPost("/stream", Fail).WithFallback(static async (Stream body) => $"{await new StreamReader(body).ReadToEndAsync()}");
            app.MapPost("/form", Fail).WithFallback(static (IFormFile file) => file.FileName).DisableAntiforgery();
            app.MapPost("/parameters", Fail).WithFallback(static ([AsParameters] Upload upload) => upload.Id);
            app.MapPost("/none", Fail).WithFallback(static (HttpContext context) => context.Request.Path.Value!);
        });

        host.Bindings.Select(binding => binding.ReadsBody).ShouldBe([true, true, true, true, false]);
        using var content = new StringContent("""{"name":"sent"}""", Encoding.UTF8, "application/json");
        using var response = await host.Client.PostAsync("/inferred", content);
        (await response.Content.ReadAsStringAsync()).ShouldBe("sent");
    }

    [Fact]
    public async Task Invoke_ManyAtOnce_CompilesOnce()
    {
        var compiled = 0;
        var binding = new FallbackBinding("x", readsBody: false, () =>
        {
            Interlocked.Increment(ref compiled);
            return static _ => Task.CompletedTask;
        });

        await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => Task.Run(() => binding.InvokeAsync(new DefaultHttpContext()))));

        compiled.ShouldBe(1);
    }

    [Fact]
    public async Task Bind_OfLambda_CompilesNothing()
    {
        await using var host = await FallbackBindingHost.StartAsync(app => app.MapGet("/{id}", Fail).WithFallback(static (int id, FallbackContext context) => $"{id}"));

        host.Bindings.ShouldHaveSingleItem().Signature.ShouldBe("string (int id, FallbackContext context) => …");
    }

    private static string GetDefault() => "default";

    private static string Fail() => throw new InvalidOperationException("The endpoint itself ran.");

    public sealed record Catalog(string Name);

    public sealed record Product(string Name);

    public sealed record Upload(string Id, Stream Body);

    private sealed class Shop
    {
        private readonly int _id = 1;

        [Fallback(nameof(GetDefault))]
        public static Task<Product> Get(int id) => Task.FromException<Product>(new InvalidOperationException($"{id}"));

        [Fallback(nameof(GetPrivateDefault))]
        public static Product GetPrivately(int id) => throw new InvalidOperationException($"{id}");

        [Fallback(nameof(GetDefault))]
        public static Task Write(HttpContext context) => throw new InvalidOperationException(context.TraceIdentifier);

        [Fallback(nameof(GetDefault))]
        public IResult GetHere(int id) => throw new InvalidOperationException($"{id} {_id}");

        public static Product GetDefault(int id) => new($"default {id}");

        private static ValueTask<Product> GetPrivateDefault(int id) => ValueTask.FromResult(new Product($"private {id}"));
    }

    private static class Generic<T>
    {
        [Fallback(nameof(GetDefault))]
        public static string Get(int id) => throw new InvalidOperationException($"{id}");

        public static void Map(WebApplication app) => app.MapGet("/in-generic-type", [Fallback(nameof(GetDefault))] static () => "never");

        public static void MapInMethod<TOther>(WebApplication app, TOther other) => app.MapGet("/in-generic-method", [Fallback(nameof(GetDefault))] () => $"never {other}");

        private static string GetDefault() => typeof(T).Name;
    }
}
