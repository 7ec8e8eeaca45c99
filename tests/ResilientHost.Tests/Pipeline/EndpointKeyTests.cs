using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using ResilientHost.Pipeline;

namespace ResilientHost.Tests.Pipeline;

public sealed class EndpointKeyTests
{
    [Theory]
    [InlineData("/products/{id:int}", "GET /products/{id}")]
    [InlineData("products/{id:int:min(1)=7}", "GET /products/{id}")]
    [InlineData("/files/{**path}", "GET /files/{*path}")]
    [InlineData("/reports/{name}.{format?}", "GET /reports/{name}.{format?}")]
    [InlineData("/", "GET /")]
    public void Plain_OfRoute_IsMethodAndPatternWithoutConstraints(string pattern, string expected) =>
        EndpointKey.Plain(Route(pattern, ["GET"])).ShouldBe(expected);

    [Fact]
    public void Plain_OfNamedEndpoint_IsItsName() =>
        EndpointKey.Plain(Route("/products", ["GET"], new EndpointNameMetadata("list-products"))).ShouldBe("list-products");

    [Fact]
    public void Plain_OfSeveralMethods_NamesThemInOrder() =>
        EndpointKey.Plain(Route("/cart", ["PUT", "GET"])).ShouldBe("GET,PUT /cart");

    [Fact]
    public void Plain_OfRouteForAnyMethod_IsItsPattern() =>
        EndpointKey.Plain(Route("/cart", [])).ShouldBe("/cart");

    [Fact]
    public void Plain_OfConventionalRoute_TakesItsRequiredValues()
    {
        var pattern = RoutePatternFactory.Parse("{controller=Home}/{action=Index}/{id?}", defaults: null, parameterPolicies: null, requiredValues: new { controller = "Home", action = "Index" });

        EndpointKey.Plain(Route(pattern, ["GET"])).ShouldBe("GET /Home/Index/{id?}");
    }

    [Fact]
    public void Assign_TwinsOnDifferentHosts_AreToldApartByHost()
    {
        var shop = Route("/", ["GET"], new HostAttribute("shop.example"));
        var admin = Route("/", ["GET"], new HostAttribute("admin.example"));

        var keys = EndpointKey.Assign([shop, admin]);

        keys[shop].ShouldBe("GET / [shop.example]");
        keys[admin].ShouldBe("GET / [admin.example]");
    }

    [Fact]
    public void Assign_TwinsOfTwoControllers_AreToldApartByDisplayName()
    {
        var first = Route("/items", ["GET"], "Api.V1.ItemsController.List");
        var second = Route("/items", ["GET"], "Api.V2.ItemsController.List");

        var keys = EndpointKey.Assign([first, second]);

        keys[first].ShouldBe("GET /items");
        keys[second].ShouldBe("GET /items (Api.V2.ItemsController.List)");
    }

    [Fact]
    public void Assign_TwinsAlikeInAll_AreNumbered()
    {
        var first = Route("/items", ["GET"]);
        var second = Route("/items", ["GET"]);
        var third = Route("/items", ["GET"]);

        var keys = EndpointKey.Assign([first, second, third]);

        keys[first].ShouldBe("GET /items");
        keys[second].ShouldBe("GET /items #2");
        keys[third].ShouldBe("GET /items #3");
    }

    private static RouteEndpoint Route(string pattern, string[] methods, params object[] metadata) =>
        Route(RoutePatternFactory.Parse(pattern), methods, metadata);

    private static RouteEndpoint Route(string pattern, string[] methods, string displayName) =>
        new(_ => Task.CompletedTask, RoutePatternFactory.Parse(pattern), 0, new EndpointMetadataCollection(new HttpMethodMetadata(methods)), displayName);

    private static RouteEndpoint Route(RoutePattern pattern, string[] methods, params object[] metadata) =>
        new(_ => Task.CompletedTask, pattern, 0, new EndpointMetadataCollection([.. metadata, .. methods.Length > 0 ? [new HttpMethodMetadata(methods)] : Array.Empty<object>()]), null);
}
