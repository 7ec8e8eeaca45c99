using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Reflection;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.ApplicationParts;
using Microsoft.AspNetCore.Mvc.Controllers;
using Microsoft.AspNetCore.Mvc.Filters;

namespace ResilientHost.IntegrationTests.Fallbacks;

/// <summary>Fallbacks that <c>[Fallback]</c> names on controllers, over real sockets.</summary>
public sealed class ControllerFallbackTests
{
    [Theory]
    [OverBothWires]
    public async Task Action_Throws_FallbackAnswersThroughMvc(Wire wire)
    {
        await using var service = await StartAsync(typeof(ShopController));

        using var response = await service.GetAsync("/shop/7", wire);

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        response.Headers.GetValues("Resilience-Fallback").ShouldBe(["delegate"]);
        response.Headers.CacheControl?.NoStore.ShouldBeTrue();
        (await response.Content.ReadAsStringAsync()).ShouldBe("""{"name":"default 7 down"}""");
    }

    [Fact]
    public async Task Action_ThrowsForCallerOfXml_FallbackAnswersInXml()
    {
        await using var service = await StartAsync(typeof(ShopController));
        using var request = new HttpRequestMessage(HttpMethod.Get, "/shop/7") { Headers = { Accept = { new MediaTypeWithQualityHeaderValue("application/xml") } } };

        using var response = await service.SendAsync(request);

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        response.Content.Headers.ContentType?.MediaType.ShouldBe("application/xml");
        (await response.Content.ReadAsStringAsync()).ShouldContain("default 7 down");
    }

    [Fact]
    public async Task Action_AnswersServerError_IsReplaced()
    {
        await using var service = await StartAsync(typeof(ShopController));

        using var response = await service.GetAsync("/shop/unavailable");

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await response.Content.ReadAsStringAsync()).ShouldBe("""{"name":"instead of 503"}""");
    }

    [Fact]
    public async Task Action_AnswersClientError_IsLeftAlone()
    {
        await using var service = await StartAsync(typeof(ShopController));

        using var response = await service.GetAsync("/shop/missing");

        response.StatusCode.ShouldBe(HttpStatusCode.NotFound);
        response.Headers.Contains("Resilience-Fallback").ShouldBeFalse();
    }

    [Fact]
    public async Task Action_HasReadTheBody_FallbackBindsItAgain()
    {
        await using var service = await StartAsync(typeof(ShopController));

        using var response = await service.Client().PostAsJsonAsync("/shop", new Product { Name = "sent" });

        response.StatusCode.ShouldBe(HttpStatusCode.Accepted);
        (await response.Content.ReadAsStringAsync()).ShouldBe("""{"name":"kept sent"}""");
    }

    [Fact]
    public async Task Action_RefusedBeforeItsAuthorizationFilter_FallbackStaysBehindTheFilter()
    {
        var gate = new Gate();
        await using var service = await StartAsync(typeof(GuardedController), gate);
        var held = service.GetAsync("/guarded?key=right");
        await gate.ArrivalAsync();

        using var wrong = await service.GetAsync("/guarded?key=wrong");
        using var right = await service.GetAsync("/guarded?key=right");

        wrong.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        (await right.Content.ReadAsStringAsync()).ShouldBe("full");
        gate.Open();
        (await (await held).Content.ReadAsStringAsync()).ShouldBe("secret");
        await service.NothingHeldAsync();
    }

    [Fact]
    public async Task Fallback_IsPublic_RefusesToStart()
    {
        var error = await TestService.FailToStartAsync(Setup(typeof(PublicController), new Gate()));

        error.ShouldContain("names the fallback 'GetDefault'");
        error.ShouldContain("which is public: on a controller it would be an endpoint of its own. Make it private or protected, or mark it [NonAction].");
    }

    [Fact]
    public async Task Fallback_ReturnsSomethingElse_RefusesToStartWithBothSignatures()
    {
        var error = await TestService.FailToStartAsync(Setup(typeof(MismatchedController), new Gate()));

        error.ShouldContain("ControllerFallbackTests.Product ControllerFallbackTests.MismatchedController.Get(int id)");
        error.ShouldContain("static string ControllerFallbackTests.MismatchedController.GetDefault(int id)");
    }

    private static Task<TestService> StartAsync(Type controller, Gate? gate = null) => TestService.StartAsync(Setup(controller, gate ?? new Gate()));

    private static TestServiceSetup Setup(Type controller, Gate gate) => new()
    {
        Configuration = """{ "Bulkheads": { "one": { "MaxConcurrency": 1, "QueueLength": 0 } } }""",
        Builder = builder =>
        {
            builder.Services.AddSingleton(gate);
            builder.Services.AddControllers().AddXmlDataContractSerializerFormatters().ConfigureApplicationPartManager(parts =>
            {
                parts.FeatureProviders.Clear();
                parts.FeatureProviders.Add(new Only(controller));
            });
        },
        Endpoints = static app => app.MapControllers(),
    };

    public sealed record Product
    {
        public string Name { get; set; } = "";
    }

    [ApiController]
    [Route("shop")]
    public sealed class ShopController : ControllerBase
    {
        [HttpGet("{id:int}")]
        [Fallback(nameof(GetDefault))]
        public async Task<ActionResult<Product>> Get(int id)
        {
            await Task.Yield();
            throw new TimeoutException(id == 7 ? "down" : "elsewhere");
        }

        [HttpGet("unavailable")]
        [Fallback(nameof(GetInstead))]
        public IActionResult GetUnavailable() => StatusCode(503);

        [HttpGet("missing")]
        [Fallback(nameof(GetInstead))]
        public IActionResult GetMissing() => NotFound();

        [HttpPost]
        [Fallback(nameof(Keep))]
        public ActionResult<Product> Post(Product product) => throw new TimeoutException(product.Name);

        private static Product GetInstead(FallbackContext fallback) => new() { Name = $"instead of {fallback.FailedStatusCode}" };

        private ActionResult<Product> GetDefault(int id, FallbackContext fallback) => Ok(new Product { Name = $"default {id} {fallback.Exception?.Message}" });

        private ActionResult<Product> Keep(Product product) => Accepted(new Product { Name = $"kept {product.Name}" });
    }

    public sealed class GuardedController(Gate gate) : ControllerBase
    {
        [HttpGet("/guarded")]
        [Bulkhead("one")]
        [Key]
        [Fallback(nameof(GetDefault))]
        public async Task<string> Get()
        {
            await gate.PassAsync(HttpContext.RequestAborted);
            return "secret";
        }

        private static string GetDefault(FallbackContext fallback) => fallback.Refusal is null ? "failed" : "full";
    }

    public sealed class PublicController : ControllerBase
    {
        [HttpGet("/public")]
        [Fallback(nameof(GetDefault))]
        public Product Get() => new();

        [HttpGet("/default")]
        public Product GetDefault() => new();
    }

    public sealed class MismatchedController : ControllerBase
    {
        [HttpGet("/mismatched")]
        [Fallback(nameof(GetDefault))]
        public Product Get(int id) => new() { Name = $"{id}" };

        private static string GetDefault(int id) => $"{id}";
    }

    [AttributeUsage(AttributeTargets.Method)]
    private sealed class KeyAttribute : Attribute, IAuthorizationFilter
    {
        public void OnAuthorization(AuthorizationFilterContext context)
        {
            if (context.HttpContext.Request.Query["key"] != "right")
            {
                context.Result = new UnauthorizedResult();
            }
        }
    }

    private sealed class Only(Type controller) : IApplicationFeatureProvider<ControllerFeature>
    {
        public void PopulateFeature(IEnumerable<ApplicationPart> parts, ControllerFeature feature) => feature.Controllers.Add(controller.GetTypeInfo());
    }
}
