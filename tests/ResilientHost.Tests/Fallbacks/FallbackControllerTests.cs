using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.Filters;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using ResilientHost.Fallbacks;

namespace ResilientHost.Tests.Fallbacks;

/// <summary>Fallbacks of controllers, run by MVC.</summary>
public sealed class FallbackControllerTests
{
    [Theory]
    [InlineData("/shop/instance/7", """{"name":"protected 7 down"}""")]
    [InlineData("/shop/static/7", """{"name":"static 7"}""")]
    [InlineData("/shop/static-task/7", """{"name":"static task 7"}""")]
    [InlineData("/shop/static-value-task/7", """{"name":"static value task 7"}""")]
    [InlineData("/shop/async/7", """{"name":"async 7"}""")]
    [InlineData("/shop/non-action/7", """{"name":"non-action 7"}""")]
    [InlineData("/shop/inherited/7", """{"name":"inherited 7 by ShopController"}""")]
    [InlineData("/shop/action-result/7", """{"name":"value 7"}""")]
    [InlineData("/shop/minimal-result/7", "minimal 7")]
    [InlineData("/shop/writes/7", "written 7")]
    [InlineData("/shop/static-writes/7", "written statically 7")]
    [InlineData("/shop/text/7", "text")]
    [InlineData("/shop/class-level/7", """{"name":"class 7"}""")]
    public async Task Invoke_NamedOnController_AnswersThroughMvc(string path, string expected)
    {
        await using var host = await FallbackBindingHost.OfControllersAsync(typeof(ShopController), typeof(ClassController));

        (await host.GetAsync(path)).ShouldBe(expected);
    }

    [Theory]
    [InlineData("/shop/not-found/7", 404)]
    [InlineData("/shop/static-not-found/7", 404)]
    public async Task Invoke_ErrorResultOfApiController_BecomesProblemDetails(string path, int status)
    {
        await using var host = await FallbackBindingHost.OfControllersAsync(typeof(ShopController));

        using var response = await host.Client.GetAsync(path);

        ((int)response.StatusCode).ShouldBe(status);
        response.Content.Headers.ContentType?.MediaType.ShouldBe("application/problem+json");
    }

    [Theory]
    [InlineData("/shop/instance/7")]
    [InlineData("/shop/static/7")]
    public async Task Invoke_CallerWantsXml_IsAnsweredInXml(string path)
    {
        await using var host = await FallbackBindingHost.OfControllersAsync(static mvc => mvc.AddXmlDataContractSerializerFormatters(), typeof(ShopController));
        using var request = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { Accept = { new MediaTypeWithQualityHeaderValue("application/xml") } } };

        using var response = await host.Client.SendAsync(request);

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        response.Content.Headers.ContentType?.MediaType.ShouldBe("application/xml");
        (await response.Content.ReadAsStringAsync()).ShouldContain("7");
    }

    [Fact]
    public async Task Invoke_ProducesOfTheAction_ShapesTheFallback()
    {
        await using var host = await FallbackBindingHost.OfControllersAsync(typeof(FilteredController));

        using var response = await host.Client.GetAsync("/filtered/produces");

        response.Content.Headers.ContentType?.MediaType.ShouldBe("application/vnd.shop+json");
    }

    [Fact]
    public async Task Invoke_ParametersOfEverySource_AreBoundAsTheActionBindsThem()
    {
        await using var host = await FallbackBindingHost.OfControllersAsync(
            static mvc => mvc.Services.AddSingleton(new Catalog("catalog")),
            typeof(BindingController));
        using var request = new HttpRequestMessage(HttpMethod.Get, "/binding/7?color=red&page=3") { Headers = { { "X-Tenant", "t" } } };

        using var response = await host.Client.SendAsync(request);

        (await response.Content.ReadAsStringAsync()).ShouldBe("id 7, color red, tenant t, catalog, page 3, default 5, can be cancelled True, down, GET /binding/7");
    }

    [Fact]
    public async Task Invoke_BodyOfTheAction_IsBoundAndSaid()
    {
        await using var host = await FallbackBindingHost.OfControllersAsync(typeof(BodyController));
        using var content = new StringContent("""{"name":"sent"}""", Encoding.UTF8, "application/json");

        using var response = await host.Client.PostAsync("/body/json/7", content);

        (await response.Content.ReadAsStringAsync()).ShouldBe("7 sent");
        host.Bindings.Select(binding => (binding.Signature.Replace("FallbackControllerTests.", "", StringComparison.Ordinal), binding.ReadsBody)).ShouldBe(
        [
            ("static string BodyController.FromJson(int id, Product product)", true),
            ("static string BodyController.FromOwn(Product other)", true),
            ("static string BodyController.FromRoute(int id, FallbackContext fallback)", false),
        ]);
    }

    [Theory]
    [InlineData("/plain/7", false)] // in the route
    [InlineData("/plain", true)] // a field of a form, perhaps
    public async Task Bind_SimpleParameterOfPost_ReadsBodyUnlessInRoute(string path, bool readsBody)
    {
        await using var host = await FallbackBindingHost.OfControllersAsync(typeof(PlainController));

        host.Bindings.Single(binding => binding.Signature.Contains(path == "/plain" ? "AddNamed" : "AddNumbered", StringComparison.Ordinal)).ReadsBody.ShouldBe(readsBody);
        host.Errors.ShouldBeEmpty();
    }

    [Fact]
    public async Task Invoke_FiltersOfTheAction_OnlyAuthorizationAndResultsRun()
    {
        await using var host = await FallbackBindingHost.OfControllersAsync(typeof(FilteredController));

        using var response = await host.Client.GetAsync("/filtered/all");

        response.Headers.GetValues("X-Ran").ShouldBe(["authorization", "typed authorization", "result", "typed result"], ignoreOrder: true);
        (await response.Content.ReadAsStringAsync()).ShouldBe("fallback");
    }

    [Fact]
    public async Task Invoke_AuthorizationFilterRefuses_FallbackDoesNotRun()
    {
        await using var host = await FallbackBindingHost.OfControllersAsync(typeof(FilteredController));

        using var response = await host.Client.GetAsync("/filtered/forbidden");

        response.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        FilteredController.Ran.ShouldBeFalse();
    }

    [Fact]
    public async Task Invoke_StaticFallback_DoesNotNeedTheController()
    {
        await using var host = await FallbackBindingHost.OfControllersAsync(typeof(BrokenController));

        (await host.GetAsync("/broken")).ShouldBe("still here");
    }

    [Fact]
    public async Task Invoke_ControllersAsServices_AnswersAllTheSame()
    {
        await using var host = await FallbackBindingHost.OfControllersAsync(
            static mvc =>
            {
                mvc.AddControllersAsServices();
                mvc.Services.TryAddTransient<ShopController>();
            },
            typeof(ShopController));

        (await host.GetAsync("/shop/instance/7")).ShouldBe("""{"name":"protected 7 down"}""");
        (await host.GetAsync("/shop/static/7")).ShouldBe("""{"name":"static 7"}""");
    }

    [Theory]
    [InlineData("/shop/throws/7")]
    [InlineData("/shop/static-throws/7")]
    [InlineData("/shop/static-null/7")]
    public async Task Invoke_FallbackThrows_PassesWhatItThrew(string path)
    {
        await using var host = await FallbackBindingHost.OfControllersAsync(typeof(ShopController));

        (await host.GetAsync(path)).ShouldStartWith(path == "/shop/static-null/7" ? "599 InvalidOperationException" : "599 NotSupportedException: no");
    }

    [Theory]
    [InlineData("/shop/instance/x")]
    [InlineData("/shop/static/x")]
    public async Task Invoke_ParameterThatTheRequestDoesNotFill_FailsTheFallback(string path)
    {
        await using var host = await FallbackBindingHost.OfControllersAsync(typeof(ShopController));

        (await host.GetAsync(path)).ShouldMatch(@"^599 BadHttpRequestException: The fallback '.*(GetInstance|GetStatic)\(.*' cannot bind 'id' from the request\.$");
    }

    [Fact]
    public async Task Invoke_RegisteredString_IsNotTakenForTheRequests()
    {
        await using var host = await FallbackBindingHost.OfControllersAsync(static mvc => mvc.Services.AddSingleton("secret"), typeof(PlainController));
        using var content = new FormUrlEncodedContent([new("text", "sent")]);

        using var response = await host.Client.PostAsync("/plain/text", content);

        (await response.Content.ReadAsStringAsync()).ShouldBe("sent");
    }

    [Fact]
    public async Task Invoke_DelegateThatReturnsMvcResult_IsWrittenByMvc()
    {
        await using var host = await FallbackBindingHost.StartAsync(
            app => app.MapGet("/", static () => "never").WithFallback(static (FallbackContext context) => (IActionResult)new ContentResult { Content = context.Exception!.Message, StatusCode = 203 }),
            static services => services.AddControllers());

        (await host.GetAsync("/")).ShouldBe("down");
    }

    [Fact]
    public async Task Invoke_ManyTimes_KeepsAnswering()
    {
        await using var host = await FallbackBindingHost.OfControllersAsync(typeof(ShopController));

        for (var i = 0; i < 5; i++)
        {
            (await host.GetAsync($"/shop/static/{i}")).ShouldBe($$"""{"name":"static {{i}}"}""");
            (await host.GetAsync($"/shop/instance/{i}")).ShouldBe($$"""{"name":"protected {{i}} down"}""");
        }
    }

    public sealed record Catalog(string Name);

    public sealed record Product
    {
        public string Name { get; set; } = "";
    }

    public abstract class BaseController : ControllerBase
    {
        [HttpGet("/shop/inherited/{id}")]
        [Fallback(nameof(GetInherited))]
        public Product Inherited(int id) => throw new InvalidOperationException($"{id}");

        protected Product GetInherited(int id) => new() { Name = $"inherited {id} by {GetType().Name}" };
    }

    [ApiController]
    [Route("shop")]
    public sealed class ShopController : BaseController
    {
        [HttpGet("instance/{id}")]
        [Fallback(nameof(GetInstance))]
        public Product Instance(int id) => throw new InvalidOperationException($"{id}");

        [HttpGet("static/{id}")]
        [Fallback(nameof(GetStatic))]
        public ActionResult<Product> Static(int id) => throw new InvalidOperationException($"{id}");

        [HttpGet("static-task/{id}")]
        [Fallback(nameof(GetStaticTask))]
        public Product StaticTask(int id) => throw new InvalidOperationException($"{id}");

        [HttpGet("static-value-task/{id}")]
        [Fallback(nameof(GetStaticValueTask))]
        public Product StaticValueTask(int id) => throw new InvalidOperationException($"{id}");

        [HttpGet("async/{id}")]
        [Fallback(nameof(GetAsync))]
        public async Task<Product> Async(int id)
        {
            await Task.Yield();
            throw new InvalidOperationException($"{id}");
        }

        [HttpGet("non-action/{id}")]
        [Fallback(nameof(GetNonAction))]
        public Product NonAction(int id) => throw new InvalidOperationException($"{id}");

        [HttpGet("action-result/{id}")]
        [Fallback(nameof(GetActionResult))]
        public Product ActionResult(int id) => throw new InvalidOperationException($"{id}");

        [HttpGet("not-found/{id}")]
        [Fallback(nameof(GetNotFound))]
        public ActionResult<Product> NotFoundHere(int id) => throw new InvalidOperationException($"{id}");

        [HttpGet("static-not-found/{id}")]
        [Fallback(nameof(GetStaticNotFound))]
        public ActionResult<Product> StaticNotFound(int id) => throw new InvalidOperationException($"{id}");

        [HttpGet("minimal-result/{id}")]
        [Fallback(nameof(GetMinimal))]
        public Product Minimal(int id) => throw new InvalidOperationException($"{id}");

        [HttpGet("writes/{id}")]
        [Fallback(nameof(WriteAsync))]
        public Product Writes(int id) => throw new InvalidOperationException($"{id}");

        [HttpGet("static-writes/{id}")]
        [Fallback(nameof(WriteStaticallyAsync))]
        public Product StaticWrites(int id) => throw new InvalidOperationException($"{id}");

        [HttpGet("text/{id}")]
        [Fallback(nameof(GetText))]
        public string Text(int id) => throw new InvalidOperationException($"{id}");

        [HttpGet("throws/{id}")]
        [Fallback(nameof(Throw))]
        public Product Throws(int id) => throw new InvalidOperationException($"{id}");

        [HttpGet("static-throws/{id}")]
        [Fallback(nameof(ThrowStatically))]
        public Product StaticThrows(int id) => throw new InvalidOperationException($"{id}");

        [HttpGet("static-null/{id}")]
        [Fallback(nameof(GetNull))]
        public Product StaticNull(int id) => throw new InvalidOperationException($"{id}");

        [NonAction]
        public Product GetNonAction(int id) => new() { Name = $"non-action {id}" };

        internal static string GetText() => "text";

        private static Product GetStatic(int id) => new() { Name = $"static {id}" };

        private static async Task<Product> GetStaticTask(int id)
        {
            await Task.Yield();
            return new() { Name = $"static task {id}" };
        }

        private static async ValueTask<ActionResult<Product>> GetStaticValueTask(int id)
        {
            await Task.Yield();
            return new Product { Name = $"static value task {id}" };
        }

        private static IActionResult GetStaticNotFound(int id) => id < 0 ? new OkResult() : new NotFoundResult();

        private static IActionResult? GetNull() => null;

        private static IResult GetMinimal(int id) => Results.Text($"minimal {id}");

        private static async Task WriteStaticallyAsync(int id, HttpResponse response, CancellationToken cancellationToken) =>
            await response.Body.WriteAsync(Encoding.UTF8.GetBytes($"written statically {id}"), cancellationToken);

        private static Product ThrowStatically() => throw new NotSupportedException("no");

        private Product GetInstance(int id, FallbackContext fallback) => new() { Name = $"protected {id} {HttpContext.Features.Get<FallbackContext>()!.Exception!.Message}{(fallback is null ? "!" : "")}" };

        private async Task<ActionResult<Product>> GetAsync(int id)
        {
            await Task.Yield();
            return Ok(new Product { Name = $"async {id}" });
        }

        private ActionResult<Product> GetActionResult(int id) => new Product { Name = $"value {id}{(HttpContext is null ? "!" : "")}" };

        private NotFoundResult GetNotFound() => NotFound();

        private async Task WriteAsync(int id, FallbackContext fallback) =>
            await fallback.HttpContext.Response.Body.WriteAsync(Encoding.UTF8.GetBytes($"written {id}"), HttpContext.RequestAborted);

        private Product Throw() => throw new NotSupportedException(HttpContext is null ? "none" : "no");
    }

    [Fallback(nameof(GetForAll))]
    public sealed class ClassController : ControllerBase
    {
        [HttpGet("/shop/class-level/{id}")]
        public Product Get(int id) => throw new InvalidOperationException($"{id}");

        private IActionResult GetForAll(int id) => id < 0 ? new NotFoundResult() : new JsonResult(new Product { Name = $"class {id}" });
    }

    [ApiController]
    public sealed class BindingController : ControllerBase
    {
        [HttpGet("/binding/{productId}")]
        [Fallback(nameof(GetDefault))]
        public string Get([FromRoute(Name = "productId")] int id, string color, [FromHeader(Name = "X-Tenant")] string tenant) => throw new InvalidOperationException($"{id} {color} {tenant}");

        private static string GetDefault(
            int id, string color, string tenant, Catalog catalog, [FromQuery(Name = "page")] int number, FallbackContext fallback, HttpRequest request, CancellationToken cancellationToken, int size = 5) =>
            $"id {id}, color {color}, tenant {tenant}, {catalog.Name}, page {number}, default {size}, can be cancelled {cancellationToken.CanBeCanceled}, {fallback.Exception!.Message}, {request.Method} {request.Path}";
    }

    [ApiController]
    public sealed class BodyController : ControllerBase
    {
        [HttpPost("/body/json/{id}")]
        [Fallback(nameof(FromJson))]
        public string Json(int id, Product product) => throw new InvalidOperationException($"{id} {product}");

        [HttpPost("/body/own")]
        [Fallback(nameof(FromOwn))]
        public string Own() => throw new InvalidOperationException();

        [HttpPost("/body/route/{id}")]
        [Fallback(nameof(FromRoute))]
        public string Route(int id, Product product) => throw new InvalidOperationException($"{id} {product}");

        private static string FromJson(int id, Product product) => $"{id} {product.Name}";

        private static string FromOwn(Product other) => other.Name;

        private static string FromRoute(int id, FallbackContext fallback) => $"{id} {fallback.Level}";
    }

    public sealed class PlainController : ControllerBase
    {
        [HttpPost("/plain/{id}")]
        [Fallback(nameof(AddNumbered))]
        public string Numbered(int id) => throw new InvalidOperationException($"{id}");

        [HttpPost("/plain")]
        [Fallback(nameof(AddNamed))]
        public string Named(string name) => throw new InvalidOperationException(name);

        [HttpPost("/plain/text")]
        [Fallback(nameof(AddText))]
        public string Text() => throw new InvalidOperationException();

        private static string AddText(string text) => text;

        private static string AddNumbered(int id) => $"{id}";

        private static string AddNamed(string name) => name;
    }

    public sealed class BrokenController : ControllerBase
    {
        public BrokenController() => throw new InvalidOperationException("no controller");

        [HttpGet("/broken")]
        [Fallback(nameof(GetDefault))]
        public string Get() => "never";

        private static string GetDefault() => "still here";
    }

    public sealed class FilteredController : ControllerBase
    {
        public static bool Ran { get; private set; }

        [HttpGet("/filtered/all")]
        [Fallback(nameof(GetDefault))]
        [Authorizes]
        [Everything]
        [TypeFilter<TypedAuthorization>]
        [TypeFilter<TypedEverything>]
        [TypeFilter<ActionOnly>]
        public string All() => throw new InvalidOperationException();

        [HttpGet("/filtered/forbidden")]
        [Fallback(nameof(GetForbidden))]
        [Forbids]
        public string Forbidden() => throw new InvalidOperationException();

        [HttpGet("/filtered/produces")]
        [Fallback(nameof(GetProduct))]
        [Produces("application/vnd.shop+json")]
        public Product Produces() => throw new InvalidOperationException();

        private static string GetDefault() => "fallback";

        private static Product GetProduct() => new() { Name = "x" };

        private static string GetForbidden()
        {
            Ran = true;
            return "never";
        }
    }

    [AttributeUsage(AttributeTargets.Method)]
    public sealed class AuthorizesAttribute : Attribute, IAuthorizationFilter, IExceptionFilter
    {
        public void OnAuthorization(AuthorizationFilterContext context) => context.HttpContext.Response.Headers.Append("X-Ran", "authorization");

        public void OnException(ExceptionContext context) => context.HttpContext.Response.Headers.Append("X-Ran", "exception");
    }

    [AttributeUsage(AttributeTargets.Method)]
    public sealed class ForbidsAttribute : Attribute, IAsyncAuthorizationFilter
    {
        public Task OnAuthorizationAsync(AuthorizationFilterContext context)
        {
            context.Result = new UnauthorizedResult();
            return Task.CompletedTask;
        }
    }

    [AttributeUsage(AttributeTargets.Method)]
    public sealed class EverythingAttribute : ActionFilterAttribute
    {
        public override void OnActionExecuting(ActionExecutingContext context) => context.HttpContext.Response.Headers.Append("X-Ran", "action");

        public override void OnResultExecuting(ResultExecutingContext context) => context.HttpContext.Response.Headers.Append("X-Ran", "result");
    }

    public sealed class TypedAuthorization : IAuthorizationFilter
    {
        public void OnAuthorization(AuthorizationFilterContext context) => context.HttpContext.Response.Headers.Append("X-Ran", "typed authorization");
    }

    public sealed class TypedEverything : IAsyncActionFilter, IResultFilter
    {
        public Task OnActionExecutionAsync(ActionExecutingContext context, ActionExecutionDelegate next)
        {
            context.HttpContext.Response.Headers.Append("X-Ran", "typed action");
            return next();
        }

        public void OnResultExecuting(ResultExecutingContext context) => context.HttpContext.Response.Headers.Append("X-Ran", "typed result");

        public void OnResultExecuted(ResultExecutedContext context) => context.Canceled.ShouldBeFalse();
    }

    public sealed class ActionOnly : IActionFilter
    {
        public ActionOnly() => throw new InvalidOperationException("Not even made.");

        public void OnActionExecuting(ActionExecutingContext context) => throw new InvalidOperationException();

        public void OnActionExecuted(ActionExecutedContext context) => throw new InvalidOperationException();
    }
}
