using System.ComponentModel.DataAnnotations;
using System.Reflection;
using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.ApplicationParts;
using Microsoft.AspNetCore.Mvc.Controllers;
using Microsoft.AspNetCore.Mvc.Filters;
using Microsoft.Extensions.Options;

namespace ResilientHost.IntegrationTests.Contract;

/// <summary>Attributes on controllers: their methods, results, inheritance, and what beats what.</summary>
public sealed class ControllerContractTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Theory]
    [InlineData("/derived/private", "base private")]
    [InlineData("/derived/virtual", "derived virtual")]
    [InlineData("/derived/overridden", "base private")]
    [InlineData("/derived/static", "base static 7")]
    [InlineData("/derived/own", "derived non-action")]
    [InlineData("/generic/5", "generic Int32 5")]
    [InlineData("/class/one", "class one")]
    [InlineData("/class/two", "own two")]
    [InlineData("/shapes/task", "shape")]
    [InlineData("/shapes/value-task", "shape")]
    [InlineData("/shapes/result", "shape")]
    [InlineData("/shapes/action-result", "shape")]
    [InlineData("/shapes/minimal", "shape")]
    [InlineData("/shapes/void", "shape")]
    [InlineData("/shapes/content", "shape")]
    public async Task Fallback_OfAController_Answers(string path, string expected)
    {
        await using var service = await StartAsync(typeof(DerivedController), typeof(NumbersController), typeof(ClassController), typeof(ShapesController));
        (await Answer.OfAsync(service, path + "?q=7")).ShouldBe(Answer.Spare(expected));
        await service.NothingHeldAsync();
    }

    [Fact]
    public async Task Fallback_MethodOfAController_IsNoEndpoint()
    {
        await using var service = await StartAsync(typeof(DerivedController));
        service.Services.GetRequiredService<EndpointDataSource>().Endpoints.Select(endpoint => endpoint.DisplayName ?? "")
            .Where(name => name.Contains("Spare", StringComparison.Ordinal)).ShouldBeEmpty();
    }

    [Fact]
    public async Task Fallback_ValidationFailure400_Stands()
    {
        await using var service = await StartAsync(typeof(ShapesController));
        using var response = await service.GetAsync("/shapes/needs");
        ((int)response.StatusCode).ShouldBe(400);
        response.Headers.Contains("Resilience-Fallback").ShouldBeFalse();
    }

    [Fact]
    public async Task Fallback_ActionAndExceptionFilters_DoNotRunAroundItAndAnAnswerOfTheirsCounts()
    {
        await using var service = await StartAsync(typeof(FilteredController));
        (await Answer.OfAsync(service, "/filtered/throws")).ShouldBe(Answer.Spare("spare 1"));
        (await Answer.OfAsync(service, "/filtered/handled")).ShouldBe(new(418, "", null));
        (await Answer.OfAsync(service, "/filtered/handled5")).ShouldBe(Answer.Spare("spare 1"));
    }

    [Theory]
    [InlineData(null, 401)]
    [InlineData("ada", 200)]
    public async Task Fallback_AuthorizedController_IsServedToTheAuthorizedOnly(string? user, int expected)
    {
        await using var service = await StartAsync(typeof(SecretController));
        using var request = new HttpRequestMessage(HttpMethod.Get, "/secret");
        if (user is not null)
        {
            request.Headers.Add("X-User", user);
        }

        var answer = await Answer.OfAsync(await service.SendAsync(request));
        answer.Status.ShouldBe(expected);
        (answer.Fallback == "delegate").ShouldBe(expected == 200);
    }

    [Fact]
    public async Task Attributes_OfActionBeatControllerBeatMapControllers()
    {
        var time = new ManualTimeProvider();
        var gate = new Gate();
        await using var service = await TestService.StartAsync(Setup(
            [typeof(TimedController)],
            app => app.MapControllers().WithTimeout(5 * Second).WithFallback((RequestDelegate)(context => context.Response.WriteAsync("of all"))).WithStaleFallback(TimeSpan.FromMinutes(1)),
            gate,
            time));
        var action = Answer.OfAsync(service, "/timed/action");
        await gate.ArrivalAsync();
        var controller = Answer.OfAsync(service, "/timed/controller");
        await gate.ArrivalAsync();
        time.Advance(2 * Second);
        (await action).ShouldBe(Answer.Spare("own"));
        controller.IsCompleted.ShouldBeFalse();
        time.Advance(Second);
        (await controller).ShouldBe(Answer.Spare("of all"));
        await service.NothingHeldAsync();
    }

    [Fact]
    public async Task StaleFallback_OfAController_KeysByWhatTheActionBinds()
    {
        await using var service = await StartAsync(typeof(StaleController));
        (await Answer.OfAsync(service, "/stale/1?q=a&noise=1")).ShouldBe(Answer.Real("1 a"));
        service.Client().DefaultRequestHeaders.Add("X-Broken", "yes");
        (await Answer.OfAsync(service, "/stale/1?noise=2&q=a")).ShouldBe(Answer.Stale("1 a"));
        (await Answer.OfAsync(service, "/stale/1?q=b")).ShouldHaveFailed(500);
        (await Answer.OfAsync(service, "/stale/2?q=a")).ShouldHaveFailed(500);
    }

    [Theory]
    [InlineData(typeof(MissingController), "Nowhere")]
    [InlineData(typeof(OverloadedController), "overload")]
    [InlineData(typeof(GenericMethodController), "generic")]
    [InlineData(typeof(UnbindableController), "spare")]
    public async Task Start_AFallbackThatCannotWork_IsRefused(Type controller, string expected)
    {
        var error = await TestService.FailToStartAsync(Setup([controller], app => app.MapControllers(), new Gate(), null));
        error.ShouldContain(expected, Case.Insensitive);
        error.ShouldContain(controller.Name);
    }

    [Fact]
    public async Task Start_WithoutUseResilienceLayers_NamesTheCall()
    {
        var error = await TestService.FailToStartAsync(new TestServiceSetup
        {
            UsesLayers = false,
            MapsStatus = false,
            Builder = builder => AddControllers(builder, [typeof(ClassController)]),
            Endpoints = app => app.MapControllers(),
        });
        error.ShouldContain("UseResilienceLayers()");
    }

    private static Task<TestService> StartAsync(params Type[] controllers) => TestService.StartAsync(Setup(controllers, app => app.MapControllers(), new Gate(), null));

    private static TestServiceSetup Setup(Type[] controllers, Action<WebApplication> map, Gate gate, ManualTimeProvider? time) => new()
    {
        Time = time,
        Builder = builder =>
        {
            builder.Services.AddSingleton(gate);
            builder.Services.AddAuthentication("h").AddScheme<AuthenticationSchemeOptions, HeaderUser>("h", null);
            builder.Services.AddAuthorization();
            AddControllers(builder, controllers);
        },
        Endpoints = map,
    };

    private static void AddControllers(WebApplicationBuilder builder, Type[] controllers) =>
        builder.Services.AddControllers().ConfigureApplicationPartManager(parts =>
        {
            parts.FeatureProviders.Clear();
            parts.FeatureProviders.Add(new Only(controllers));
        });

    public abstract class BaseController : ControllerBase
    {
        [HttpGet("private")]
        [Fallback(nameof(SparePrivate))]
        public string GetPrivate() => throw new InvalidOperationException();

        [HttpGet("virtual")]
        [Fallback(nameof(SpareVirtual))]
        public string GetVirtual() => throw new InvalidOperationException();

        [HttpGet("overridden")]
        [Fallback(nameof(SparePrivate))]
        public virtual string GetOverridden() => "base";

        [HttpGet("static")]
        [Fallback(nameof(SpareStatic))]
        public async Task<string> GetStatic(int q)
        {
            await Task.Yield();
            throw new InvalidOperationException($"{q}");
        }

        protected virtual string SpareVirtual() => "base virtual";

        private static string SpareStatic(int q) => $"base static {q}";

        private string SparePrivate() => HttpContext.Request.Path.HasValue ? "base private" : "";
    }

    [Route("derived")]
    public sealed class DerivedController : BaseController
    {
        public override string GetOverridden() => throw new InvalidOperationException();

        [HttpGet("own")]
        [Fallback(nameof(SpareOwn))]
        public string GetOwn() => throw new InvalidOperationException();

        [NonAction]
        public string SpareOwn() => "derived non-action";

        protected override string SpareVirtual() => "derived virtual";
    }

    public abstract class GenericController<T> : ControllerBase
    {
        [HttpGet("{id}")]
        [Fallback("Spare")]
        public ActionResult<string> Get(T id) => throw new InvalidOperationException($"{id}");

        private string Spare(T id) => $"generic {typeof(T).Name} {id}";
    }

    [Route("generic")]
    public sealed class NumbersController : GenericController<int>;

    [Route("class")]
    [Fallback(nameof(Spare))]
    public sealed class ClassController : ControllerBase
    {
        [HttpGet("one")]
        public string One() => throw new InvalidOperationException();

        [HttpGet("two")]
        [Fallback(nameof(Own))]
        public string Two() => throw new InvalidOperationException();

        private static string Own() => "own two";

        private static string Spare() => "class one";
    }

    [ApiController]
    [Route("shapes")]
    public sealed class ShapesController : ControllerBase
    {
        [HttpGet("task"), Fallback(nameof(SpareTask))]
        public string GetTask() => throw new InvalidOperationException();

        [HttpGet("value-task"), Fallback(nameof(SpareValueTask))]
        public Task<string> GetValueTask() => throw new InvalidOperationException();

        [HttpGet("result"), Fallback(nameof(SpareResult))]
        public string GetResult() => throw new InvalidOperationException();

        [HttpGet("action-result"), Fallback(nameof(SpareActionResult))]
        public IActionResult GetActionResult() => throw new InvalidOperationException();

        [HttpGet("minimal"), Fallback(nameof(SpareMinimal))]
        public ActionResult<string> GetMinimal() => throw new InvalidOperationException();

        [HttpGet("void"), Fallback(nameof(SpareResult))]
        public void GetVoid() => throw new InvalidOperationException();

        [HttpGet("content"), Fallback(nameof(SpareWrites))]
        public string GetContent() => throw new InvalidOperationException();

        [HttpGet("needs"), Fallback(nameof(SpareResult))]
        public string GetNeeds([FromQuery, Required] string name) => name;

        private static async Task<string> SpareTask()
        {
            await Task.Yield();
            return "shape";
        }

        private static async ValueTask<ActionResult<string>> SpareValueTask()
        {
            await Task.Yield();
            return "shape";
        }

        private static IResult SpareMinimal() => Results.Text("shape");

        private static Task SpareWrites(FallbackContext fallback) => fallback.HttpContext.Response.WriteAsync("shape");

        private IActionResult SpareResult() => Request.Path.HasValue ? Content("shape") : NotFound();

        private ActionResult<string> SpareActionResult() => "shape";
    }

    [Route("filtered")]
    [Counting]
    public sealed class FilteredController : ControllerBase
    {
        [HttpGet("throws"), Fallback(nameof(Spare))]
        public string Throws() => throw new InvalidOperationException();

        [HttpGet("handled"), Fallback(nameof(Spare)), Handles(418)]
        public string Handled() => throw new InvalidOperationException();

        [HttpGet("handled5"), Fallback(nameof(Spare)), Handles(503)]
        public string Handled5() => throw new InvalidOperationException();

        private string Spare() => $"spare {HttpContext.Items["count"]}";
    }

    [Route("secret")]
    [Authorize]
    public sealed class SecretController : ControllerBase
    {
        [HttpGet, Fallback(nameof(Spare)), StaleFallback(600)]
        public string Get() => throw new InvalidOperationException();

        private string Spare() => $"spare for {User.Identity?.Name}";
    }

    [Route("timed")]
    [Timeout("00:00:03")]
    public sealed class TimedController(Gate gate) : ControllerBase
    {
        [HttpGet("action"), Timeout("00:00:02"), Fallback(nameof(Own))]
        public async Task<string> OfAction(CancellationToken token)
        {
            await gate.PassAsync(token);
            return "real";
        }

        [HttpGet("controller")]
        public async Task<string> OfController(CancellationToken token)
        {
            await gate.PassAsync(token);
            return "real";
        }

        private static string Own() => "own";
    }

    [Route("stale")]
    public sealed class StaleController : ControllerBase
    {
        [HttpGet("{id}"), StaleFallback(600)]
        public string Get(int id, string? q) => Request.Headers.ContainsKey("X-Broken") ? throw new InvalidOperationException() : $"{id} {q}";
    }

    [Route("bad")]
    public sealed class MissingController : ControllerBase
    {
        [HttpGet, Fallback("Nowhere")]
        public string Get() => "real";
    }

    [Route("bad")]
    public sealed class OverloadedController : ControllerBase
    {
        [HttpGet, Fallback("Spare")]
        public string Get() => "real";

        private static string Spare() => "a";

        private static string Spare(int q) => $"{q}";
    }

    [Route("bad")]
    public sealed class GenericMethodController : ControllerBase
    {
        [HttpGet, Fallback("Spare")]
        public string Get() => "real";

        private static string Spare<T>() => typeof(T).Name;
    }

    [Route("bad")]
    public sealed class UnbindableController : ControllerBase
    {
        [HttpGet, Fallback(nameof(Spare))]
        public string Get() => "real";

        private static string Spare(ref int q) => $"{q}";
    }

    [AttributeUsage(AttributeTargets.Class)]
    private sealed class CountingAttribute : ActionFilterAttribute
    {
        public override void OnActionExecuting(ActionExecutingContext context) =>
            context.HttpContext.Items["count"] = (context.HttpContext.Items["count"] as int? ?? 0) + 1;
    }

    [AttributeUsage(AttributeTargets.Method)]
    private sealed class HandlesAttribute(int status) : ExceptionFilterAttribute
    {
        public override void OnException(ExceptionContext context)
        {
            context.Result = new StatusCodeResult(status);
            context.ExceptionHandled = true;
        }
    }

    private sealed class Only(Type[] controllers) : IApplicationFeatureProvider<ControllerFeature>
    {
        public void PopulateFeature(IEnumerable<ApplicationPart> parts, ControllerFeature feature)
        {
            foreach (var controller in controllers)
            {
                feature.Controllers.Add(controller.GetTypeInfo());
            }
        }
    }

    private sealed class HeaderUser(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder)
        : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
    {
        protected override Task<AuthenticateResult> HandleAuthenticateAsync()
        {
            if (!Request.Headers.TryGetValue("X-User", out var user))
            {
                return Task.FromResult(AuthenticateResult.NoResult());
            }

            var principal = new ClaimsPrincipal(new ClaimsIdentity([new(ClaimTypes.Name, user.ToString())], "h"));
            return Task.FromResult(AuthenticateResult.Success(new(principal, "h")));
        }
    }
}
