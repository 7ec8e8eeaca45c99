using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace ResilientHost.Tests.Fallbacks;

/// <summary>Fallbacks that do not fit: each is an error at start that says what to do.</summary>
public sealed class FallbackBinderErrorTests
{
    [Fact]
    public async Task Bind_MissingMethod_SaysWhatIsThere() =>
        (await FallbackBindingHost.ErrorAsync(app => app.MapGet("/", Missing.Get))).ShouldBe(
            "Endpoint 'HTTP: GET / => Get' (static FallbackBinderErrorTests.Product FallbackBinderErrorTests.Missing.Get()) names the fallback 'GetDefalt', "
            + "but FallbackBinderErrorTests.Missing has no such method. Methods there: Get, GetDefault.");

    [Fact]
    public async Task Bind_WrongCase_NamesTheTwin() =>
        (await FallbackBindingHost.ErrorAsync(app => app.MapGet("/", WrongCase.Get))).ShouldEndWith("Names are case-sensitive; there is 'GetDefault'.");

    [Fact]
    public async Task Bind_Overloaded_ListsTheOverloads() =>
        (await FallbackBindingHost.ErrorAsync(app => app.MapGet("/", Overloaded.Get))).ShouldEndWith(
            "names the fallback 'GetDefault', which is overloaded: 'static FallbackBinderErrorTests.Product FallbackBinderErrorTests.Overloaded.GetDefault()', "
            + "'static FallbackBinderErrorTests.Product FallbackBinderErrorTests.Overloaded.GetDefault(int id)'. Give the fallback a name of its own, or add it as .WithFallback(…) where the endpoint is mapped.");

    [Fact]
    public async Task Bind_GenericMethod_SaysSo() =>
        (await FallbackBindingHost.ErrorAsync(app => app.MapGet("/", Parameterized.Get))).ShouldEndWith(
            "'static T FallbackBinderErrorTests.Parameterized.GetDefault<T>()', which is generic: nobody could say for which type. Name a method without type parameters.");

    [Fact]
    public async Task Bind_InstanceMethod_NamesWithFallback() =>
        (await FallbackBindingHost.ErrorAsync(app => app.MapGet("/", new Instance().Get))).ShouldEndWith(
            "'FallbackBinderErrorTests.Product FallbackBinderErrorTests.Instance.GetDefault()', which is not static, and at run time nobody knows an instance for it. "
            + "Make it static, or add it as .WithFallback(…) where the endpoint is mapped.");

    [Fact]
    public async Task Bind_MisspeltRouteValue_IsRefused() =>
        (await FallbackBindingHost.ErrorAsync(app => app.MapGet("/{id}", (int id, CancellationToken token) => $"{id}").WithFallback((int ident) => $"{ident}"))).ShouldContain(
            "whose parameter 'ident' cannot be bound: it would be read from the query, and the endpoint's requests carry no 'ident' there. Name it as the route does, or let it be optional (int? ident).");

    [Fact]
    public async Task Bind_OwnHandler_IsRefused() =>
        (await FallbackBindingHost.ErrorAsync(app => app.MapGet("/", Itself.Get))).ShouldEndWith("names the fallback 'Get', which is its own handler. Name another method.");

    [Fact]
    public async Task Bind_LocalFunction_NamesWithFallback()
    {
        var captured = new Product("x");
        Product Capturing() => captured;
        static Product Plain() => new("y");
        Plain().ShouldNotBe(Capturing());

        (await FallbackBindingHost.ErrorAsync(app => app.MapGet("/", [Fallback(nameof(Capturing))] () => captured))).ShouldBe(
            "Endpoint 'HTTP: GET /' (FallbackBinderErrorTests.Product () => …) names the fallback 'Capturing', which is a local function and has no such name at run time. "
            + "Add it as .WithFallback(Capturing) where the endpoint is mapped, or make it a method of FallbackBinderErrorTests.");
        (await FallbackBindingHost.ErrorAsync(app => app.MapGet("/", [Fallback(nameof(Plain))] () => captured))).ShouldContain(".WithFallback(Plain)");
    }

    [Fact]
    public async Task Bind_HandlerOfTheFramework_NamesWithFallback() =>
        (await FallbackBindingHost.ErrorAsync(app => app.MapGet("/", static (HttpContext _) => Task.CompletedTask)
            .AddEndpointFilter(static (context, next) => next(context))
            .WithMetadata(new Named("GetDefault"))
            .Finally(static builder =>
            {
                foreach (var method in builder.Metadata.OfType<System.Reflection.MethodInfo>().ToArray())
                {
                    builder.Metadata.Remove(method);
                }
            }))).ShouldEndWith("names the fallback 'GetDefault', but its handler cannot be told, hence not the type to look in. Add it as .WithFallback(…) where the endpoint is mapped.");

    [Fact]
    public async Task Bind_NeitherHandlerNorName_IsSaid() =>
        (await FallbackBindingHost.ErrorAsync(app => app.MapGet("/", static () => "x").WithMetadata(new Named(null)))).ShouldEndWith("gives neither a handler nor the name of a method.");

    [Fact]
    public async Task Bind_OtherResult_PrintsBothSignatures() =>
        (await FallbackBindingHost.ErrorAsync(app => app.MapGet("/{id}", static (int id) => Task.FromResult(new Product($"{id}"))).WithFallback(static (int id) => $"{id}"))).ShouldBe(
            "Endpoint 'HTTP: GET /{id}' (Task<FallbackBinderErrorTests.Product> (int id) => …) has the fallback 'string (int id) => …', "
            + "which returns string where the endpoint returns FallbackBinderErrorTests.Product. Let it return FallbackBinderErrorTests.Product or IResult.");

    [Fact]
    public async Task Bind_TwinOfOtherNamespace_PrintsNamespaces() =>
        (await FallbackBindingHost.ErrorAsync(app => app.MapGet("/", static () => Random.Shared).WithFallback(static () => new Lookalike.Random()))).ShouldContain(
            "which returns ResilientHost.Tests.Fallbacks.Lookalike.Random where the endpoint returns System.Random.");

    [Fact]
    public async Task Bind_ReturnsNothing_AsksForSomethingToWriteWith() =>
        (await FallbackBindingHost.ErrorAsync(app => app.MapGet("/", static () => "x").WithFallback(static () => Task.CompletedTask))).ShouldEndWith(
            "which returns nothing and takes nothing to write an answer with. Let it return string or IResult, or let it take FallbackContext and write the answer itself.");

    [Fact]
    public async Task Bind_AsyncVoid_IsRefused() =>
        (await FallbackBindingHost.ErrorAsync(app => app.MapGet("/", [Fallback(nameof(AsyncVoid))] static () => "x"))).ShouldEndWith(
            "which is async void: nobody could wait for it, and what it throws would end the process. Let it return Task.");

    [Fact]
    public async Task Bind_UnknownService_SaysWhichParameter()
    {
        var error = await FallbackBindingHost.ErrorAsync(app => app.MapGet("/", static () => "x").WithFallback(static (Product product) => product.Name));

        error.ShouldStartWith("Endpoint 'HTTP: GET /' (string () => …) has the fallback 'string (FallbackBinderErrorTests.Product product) => …', which cannot be bound: ");
        error.ShouldContain("product");
        error.ShouldEndWith("Let it take what the request's route, query and headers carry, services that are registered, and FallbackContext.");
        error.ShouldNotContain("\n");
    }

    [Fact]
    public async Task Bind_RouteValueThatIsNotThere_SaysWhichOne() =>
        (await FallbackBindingHost.ErrorAsync(app => app.MapGet("/{id}", static () => "x").WithFallback(static ([FromRoute] int number) => $"{number}"))).ShouldContain("'number' is not a route parameter.");

    [Fact]
    public async Task Bind_ByReference_IsRefused() =>
        (await FallbackBindingHost.ErrorAsync(app => app.MapGet("/", static () => "x").WithFallback((ByReference)ByReferenceFallback))).ShouldContain("cannot be bound:");

    [Fact]
    public async Task Bind_ServicesThatAreNotRegistered_AreEachNamed()
    {
        await using var host = await FallbackBindingHost.StartAsync(app => app.MapPost("/", static () => "x").WithFallback(static (
            [FromServices] Product plain, [FromKeyedServices("a")] Product keyed, IComparable<Product> inferred, [FromServices] Product? optional, [FromKeyedServices("a")] Product? optionalKeyed) =>
            $"{plain} {keyed} {inferred} {optional} {optionalKeyed}"));

        host.Errors.Select(error => error[error.IndexOf("whose parameter", StringComparison.Ordinal)..error.IndexOf(" Let it", StringComparison.Ordinal)]).ShouldBe(
        [
            "whose parameter 'plain' cannot be bound: FallbackBinderErrorTests.Product is no registered service.",
            "whose parameter 'keyed' cannot be bound: FallbackBinderErrorTests.Product is no registered service.",
            "whose parameter 'inferred' cannot be bound: IComparable<FallbackBinderErrorTests.Product> is no registered service.",
        ]);
    }

    [Fact]
    public async Task Bind_ServicesThatAreRegistered_AreTaken()
    {
        await using var host = await FallbackBindingHost.StartAsync(
            app =>
            {
                app.MapPost("/services", static () => "x").WithFallback(static (
                    [FromServices] Product plain, [FromKeyedServices("a")] Product keyed, IServiceProvider provider, IEnumerable<Product> all) => $"{plain} {keyed} {provider} {all}");
                app.MapPost("/body", static (IComparable<Product> body) => $"{body}").WithFallback(static (IComparable<Product> body) => $"{body}");
            },
            static services => services.AddSingleton(new Product("x")).AddKeyedSingleton("a", new Product("y")));

        host.Errors.ShouldBeEmpty();
        host.Bindings.Select(binding => binding.ReadsBody).ShouldBe([false, true]);
    }

    [Fact]
    public async Task Bind_SeveralFaults_AreSaidAtOnce()
    {
        await using var host = await FallbackBindingHost.StartAsync(app => app.MapGet("/", static () => "x").WithFallback(static (Product product) => 7));

        host.Errors.Count.ShouldBe(2);
    }

    [Fact]
    public async Task Bind_MvcResultWithoutMvc_AsksForIResult() =>
        (await FallbackBindingHost.ErrorAsync(app => app.MapGet("/", static () => "x").WithFallback(static () => new OkResult()))).ShouldEndWith(
            "whose result only MVC can write, and the application has no MVC. Let it return IResult.");

    [Fact]
    public async Task Bind_ResultsThatFit_AreTaken()
    {
        await using var host = await FallbackBindingHost.StartAsync(app =>
        {
            app.MapGet("/same", static () => new Product("x")).WithFallback(static () => ValueTask.FromResult(new Product("y")));
            app.MapGet("/derived", static () => new Product("x")).WithFallback(static () => new Special());
            app.MapGet("/object", static () => new object()).WithFallback(static () => 7);
            app.MapGet("/nullable", static () => (int?)7).WithFallback(static () => 7);
            app.MapGet("/sequence", static () => (IEnumerable<Product>)[]).WithFallback(static () => new List<Special>());
            app.MapGet("/result", static () => Results.Ok()).WithFallback(static () => "x");
            app.MapGet("/typed-result", static () => TypedResults.Ok(7)).WithFallback(static () => "x");
            app.MapGet("/to-result", static () => 7).WithFallback(static () => TypedResults.NotFound());
            app.MapGet("/nothing", static () => Task.CompletedTask).WithFallback(static () => 7);
            app.MapGet("/request-delegate", static (HttpContext _) => Task.CompletedTask).WithFallback(static () => 7);
            app.MapGet("/request-delegate-with-result", (RequestDelegate)WithResultAsync).WithFallback(static () => 7);
            app.MapGet("/writes", static () => 7).WithFallback(static (HttpResponse response) => response.WriteAsync("x"));
            app.MapGet("/writes-with-context", static () => 7).WithFallback(static (FallbackContext context, CancellationToken cancellationToken) => context.HttpContext.Response.WriteAsync("x", cancellationToken));
        });

        host.Errors.ShouldBeEmpty();
        host.Bindings.Count.ShouldBe(13);
    }

    [Theory]
    [InlineData(typeof(PublicController), "which is public: on a controller it would be an endpoint of its own. Make it private or protected, or mark it [NonAction].")]
    [InlineData(typeof(OverloadedController), "Give the fallback a name of its own.")]
    [InlineData(typeof(MissingController), "has no such method. Methods there: Get.")]
    [InlineData(typeof(GenericController), "Name a method without type parameters.")]
    [InlineData(typeof(OtherResultController), "which returns string where the endpoint returns ActionResult<FallbackBinderErrorTests.Product>. Let it return FallbackBinderErrorTests.Product or IActionResult.")]
    [InlineData(typeof(NothingController), "or let it take FallbackContext and write the answer itself.")]
    [InlineData(typeof(UnknownServiceController), "whose parameter 'service' cannot be bound: IServiceProviderFactory<int> is no registered service, and MVC cannot make one. Let it take what the request's route, query and headers carry, services that are registered, and FallbackContext.")]
    [InlineData(typeof(FromServicesController), "whose parameter 'product' cannot be bound: FallbackBinderErrorTests.Product is no registered service. Let it take what the request's route, query and headers carry, services that are registered, and FallbackContext.")]
    [InlineData(typeof(BodyOfGetController), "whose parameter 'product' cannot be bound: FallbackBinderErrorTests.Product is no registered service, and requests of this endpoint have no body. Let it take what the request's route, query and headers carry, services that are registered, and FallbackContext.")]
    public async Task Bind_OnController_SaysWhatToDo(Type controller, string end)
    {
        var error = await FallbackBindingHost.ErrorOfControllerAsync(controller);

        error.ShouldStartWith($"Endpoint '{controller.FullName}.Get (ResilientHost.Tests)' (");
        error.ShouldEndWith(end);
    }

    private static Task WithResultAsync(HttpContext context) => Task.FromResult(context.TraceIdentifier);

    private static async void AsyncVoid(HttpContext context) => await context.Response.WriteAsync("x");

    private static string ByReferenceFallback(ref int id) => $"{id}";

    private delegate string ByReference(ref int id);

    public record Product(string Name);

    public sealed record Special() : Product("special");

    private sealed record Named(string? Method) : IFallbackMetadata
    {
        public Delegate? Handler => null;
    }

    private static class Missing
    {
        [Fallback("GetDefalt")]
        public static Product Get() => new("x");

        public static Product GetDefault() => new("y");
    }

    private static class WrongCase
    {
        [Fallback("getDefault")]
        public static Product Get() => new("x");

        public static Product GetDefault() => new("y");
    }

    private static class Overloaded
    {
        [Fallback(nameof(GetDefault))]
        public static Product Get() => new("x");

        public static Product GetDefault() => new("y");

        public static Product GetDefault(int id) => new($"{id}");
    }

    private static class Parameterized
    {
        [Fallback("GetDefault")]
        public static Product Get() => new("x");

        public static T GetDefault<T>()
            where T : new() => new();
    }

    private sealed class Instance
    {
        private readonly string _name = "x";

        [Fallback(nameof(GetDefault))]
        public Product Get() => new(_name);

        public Product GetDefault() => new(_name);
    }

    private static class Itself
    {
        [Fallback(nameof(Get))]
        public static Product Get() => new("x");
    }

    public sealed class PublicController : ControllerBase
    {
        [HttpGet("/")]
        [Fallback(nameof(GetDefault))]
        public Product Get() => new("x");

        [HttpGet("/other")]
        public Product GetDefault() => new("y");
    }

    public sealed class OverloadedController : ControllerBase
    {
        [HttpGet("/")]
        [Fallback(nameof(GetDefault))]
        public Product Get() => new("x");

        private static Product GetDefault() => new("y");

        private static Product GetDefault(int id) => id < 0 ? GetDefault() : new($"{id}");
    }

    public sealed class MissingController : ControllerBase
    {
        [HttpGet("/")]
        [Fallback("GetDefault")]
        public Product Get() => new("x");
    }

    public sealed class GenericController : ControllerBase
    {
        [HttpGet("/")]
        [Fallback("GetDefault")]
        public Product Get() => new("x");

        private static T GetDefault<T>()
            where T : new() => new();
    }

    public sealed class OtherResultController : ControllerBase
    {
        [HttpGet("/")]
        [Fallback(nameof(GetDefault))]
        public async Task<ActionResult<Product>> Get()
        {
            await Task.Yield();
            return new Product("x");
        }

        private static string GetDefault() => "y";
    }

    public sealed class NothingController : ControllerBase
    {
        [HttpGet("/")]
        [Fallback(nameof(GetDefault))]
        public Product Get() => new("x");

        private static ValueTask GetDefault(int id) => new(Task.FromResult(id));
    }

    public sealed class UnknownServiceController : ControllerBase
    {
        [HttpGet("/")]
        [Fallback(nameof(GetDefault))]
        public Product Get() => new("x");

        private static Product GetDefault(Microsoft.Extensions.DependencyInjection.IServiceProviderFactory<int> service) => new($"{service}");
    }

    public sealed class FromServicesController : ControllerBase
    {
        [HttpGet("/")]
        [Fallback(nameof(GetDefault))]
        public Product Get() => new("x");

        private static Product GetDefault([FromServices] Product product) => product;
    }

    [ApiController]
    public sealed class BodyOfGetController : ControllerBase
    {
        [HttpGet("/")]
        [Fallback(nameof(GetDefault))]
        public Product Get() => new("x");

        private static Product GetDefault(Product product) => product;
    }
}
