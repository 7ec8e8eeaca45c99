using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using ResilientHost.Fallbacks;
using ResilientHost.Pipeline;

namespace ResilientHost.Tests.Fallbacks;

/// <summary>Which query keys an endpoint's answer depends on; "*": all.</summary>
public sealed class StaleInputsTests
{
    private static readonly StaleFallbackMetadata NothingDeclared = new(TimeSpan.FromSeconds(60), null);

    public enum Kind
    {
        One,
    }

    public static TheoryData<string, Delegate, string> Handlers => new()
    {
        { "nothing", () => "", "" },
        { "simple", (string q, int? page, Kind kind, Guid[] ids, DateOnly day) => "", "q,page,kind,ids,day" },
        { "renamed", ([FromQuery(Name = "p")] int page) => "", "p" },
        { "of the route", (int id, string q) => "", "q" },
        { "of the route by attribute", ([FromRoute(Name = "id")] int other) => "", "" },
        { "header", ([FromHeader(Name = "X-Tenant")] string tenant, string q) => "", "q;X-Tenant" },
        { "services", (IServiceProvider services, [FromServices] Service service, Service same, CancellationToken token, System.Security.Claims.ClaimsPrincipal user) => "", "" },
        { "parsed", (Parsed value) => "", "value" },
        { "bound by itself", (Bound value, string q) => "", "*" },
        { "context", (HttpContext context, string q) => "", "*" },
        { "request", (HttpRequest request) => "", "*" },
        { "response", (HttpResponse response) => Task.CompletedTask, "*" },
        { "accessor", (IHttpContextAccessor accessor) => "", "*" },
        { "parameters", ([AsParameters] Query query) => "", "*" },
        { "request delegate", (RequestDelegate)(_ => Task.CompletedTask), "*" },
    };

    [Theory]
    [MemberData(nameof(Handlers))]
    public async Task Inputs_OfMinimalApi_AreWhatItBinds(string _, Delegate handler, string expected)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Services.AddSingleton<Service>().AddHttpContextAccessor();
        await using var app = builder.Build();
        if (handler is RequestDelegate plain)
        {
            app.MapGet("/{id}", plain);
        }
        else
        {
            app.MapGet("/{id}", handler);
        }

        Show(StaleInputs.Of(EndpointOf(app), NothingDeclared)).ShouldBe(expected);
    }

    [Theory]
    [InlineData(nameof(Actions.Simple), "page,q;Accept")]
    [InlineData(nameof(Actions.Route), "*;Accept")]
    [InlineData(nameof(Actions.Header), "*;X-Tenant;Accept")]
    [InlineData(nameof(Actions.Model), "*;Accept")]
    [InlineData(nameof(Actions.List), "*;Accept")]
    [InlineData(nameof(Actions.Services), "*;Accept")]
    public async Task Inputs_OfAction_AreWhatItBinds(string action, string expected)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Services.AddSingleton<Service>().AddControllers().ConfigureApplicationPartManager(manager => manager.FeatureProviders.Add(new Only()));
        await using var app = builder.Build();
        app.MapControllers();

        var endpoint = ((IEndpointRouteBuilder)app).DataSources.SelectMany(source => source.Endpoints).Single(endpoint => ((RouteEndpoint)endpoint).RoutePattern.RawText == $"stale-inputs/{action}/{{id?}}");

        Show(StaleInputs.Of(endpoint, NothingDeclared)).ShouldBe(expected);
    }

    [Fact]
    public void Inputs_OfEndpointThatTellsNothing_AreTheWholeQuery() =>
        Show(StaleInputs.Of(new Endpoint(null, EndpointMetadataCollection.Empty, "x"), NothingDeclared)).ShouldBe("*");

    [Fact]
    public void Inputs_Declared_AreThose() =>
        Show(StaleInputs.Of(new Endpoint(null, EndpointMetadataCollection.Empty, "x"), NothingDeclared with { QueryKeys = ["a", "b"] })).ShouldBe("a,b");

    private static Endpoint EndpointOf(IEndpointRouteBuilder app) => app.DataSources.SelectMany(source => source.Endpoints).Single();

    private static string Show(StaleInputs inputs) =>
        (inputs.QueryKeys is null ? "*" : string.Join(',', inputs.QueryKeys)) + string.Concat(inputs.Headers.Select(name => ";" + name));

    public sealed class Service;

    public sealed record Query(int Page);

    public sealed record Parsed(string Text)
    {
        public static bool TryParse(string text, out Parsed value)
        {
            value = new Parsed(text);
            return true;
        }
    }

    public sealed record Bound
    {
        public static ValueTask<Bound?> BindAsync(HttpContext context) => new(new Bound());
    }

    [Route("stale-inputs")]
    public sealed class Actions : ControllerBase
    {
        [HttpGet("Simple/{id?}")]
        public string Simple(int page, [FromQuery] string? q, CancellationToken token) => $"{page}{q}{token.IsCancellationRequested}";

        [HttpGet("Route/{id?}")]
        public string Route([FromRoute] int id) => $"{id}";

        [HttpGet("Header/{id?}")]
        public string Header([FromHeader(Name = "X-Tenant")] string tenant) => tenant;

        [HttpGet("Model/{id?}")]
        public string Model([FromQuery] Query query) => $"{query}";

        [HttpGet("List/{id?}")]
        public string List([FromQuery] int[] ids) => $"{ids.Length}";

        [HttpGet("Services/{id?}")]
        public string Services([FromServices] Service service) => $"{service is null}";
    }

    private sealed class Only : Microsoft.AspNetCore.Mvc.ApplicationParts.IApplicationFeatureProvider<Microsoft.AspNetCore.Mvc.Controllers.ControllerFeature>
    {
        public void PopulateFeature(IEnumerable<Microsoft.AspNetCore.Mvc.ApplicationParts.ApplicationPart> parts, Microsoft.AspNetCore.Mvc.Controllers.ControllerFeature feature)
        {
            feature.Controllers.Clear();
            feature.Controllers.Add(System.Reflection.IntrospectionExtensions.GetTypeInfo(typeof(Actions)));
        }
    }
}
