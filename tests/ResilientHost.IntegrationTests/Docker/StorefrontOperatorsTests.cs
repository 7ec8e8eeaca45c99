using System.Net;
using ResilientHost.IntegrationTests.PostgreSql;

namespace ResilientHost.IntegrationTests.Docker;

/// <summary>Storefront is copied: its dashboard is anonymous on the loopback interface alone, whatever the place where it runs says or forgets to say.</summary>
public sealed class StorefrontOperatorsTests
{
    [Theory]
    [InlineData("--urls", "http://+:0")]
    [InlineData("--urls", "http://127.0.0.1:0;http://0.0.0.0:0")]
    [InlineData("--Kestrel:Endpoints:All:Url", "http://*:0")]
    public async Task Start_OutsideOfLoopback_WithoutOperators_IsRefused(params string[] settings)
    {
        var error = await Should.ThrowAsync<InvalidOperationException>(async () => await (await ShopProcess.StartAsync(null, settings)).DisposeAsync());

        error.Message.ShouldContain("Operators__oncall__Password");
    }

    [Fact]
    public async Task Start_OperatorWithoutAPassword_IsRefused()
    {
        var error = await Should.ThrowAsync<InvalidOperationException>(async () => await (await ShopProcess.StartAsync(null, "--Operators:oncall:Password", "")).DisposeAsync());

        error.Message.ShouldContain("oncall");
    }

    [Fact]
    public async Task Dashboard_WithOperators_IsForThemAlone()
    {
        await using var shop = await ShopProcess.StartAsync(null, "--urls", "http://127.0.0.1:0;http://0.0.0.0:0", "--Operators:oncall:Password", "secret");

        (await shop.LookInsideAsync()).ShouldBe(HttpStatusCode.Unauthorized);
        (await shop.LookInsideAsync("oncall", "guess")).ShouldBe(HttpStatusCode.Unauthorized);
        (await shop.LookInsideAsync("oncall", "secret")).ShouldBe(HttpStatusCode.OK);
    }

    [Theory]
    [InlineData("http://127.0.0.1:0")]
    [InlineData("http://[::1]:0")]
    public async Task Dashboard_OnLoopback_WithoutOperators_IsForThisMachine(string url)
    {
        await using var shop = await ShopProcess.StartAsync(null, "--urls", url);

        (await shop.LookInsideAsync()).ShouldBe(HttpStatusCode.OK);
    }
}
