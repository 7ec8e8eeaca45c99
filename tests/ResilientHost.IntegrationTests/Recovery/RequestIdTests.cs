namespace ResilientHost.IntegrationTests.Recovery;

public sealed class RequestIdTests
{
    private const string Header = "X-Request-ID";

    [Theory, OverBothWires]
    public async Task CachedAnswer_ForAnotherRequest_CarriesThatRequestsOwnId(Wire wire)
    {
        await using var service = await TestService.StartAsync(new TestServiceSetup
        {
            Builder = builder => builder.Services.AddOutputCache(),
            Outside = app => app.UseOutputCache(),
            Endpoints = app => app.MapGet("/", () => "fine").CacheOutput(),
        });
        (await IdAsync(service, wire, "first")).ShouldBe("first");
        (await IdAsync(service, wire, "second")).ShouldBe("second");
        (await IdAsync(service, wire, null)).ShouldBeNull();
    }

    [Fact]
    public async Task AnswerOfTheStockExceptionHandler_CarriesTheRequestsId()
    {
        await using var service = await TestService.StartAsync(new TestServiceSetup
        {
            Builder = builder => builder.Services.AddProblemDetails(),
            Outside = app =>
            {
                app.UseExceptionHandler();
                app.Use((HttpContext _, RequestDelegate _) => throw new InvalidOperationException("marker-outside"));
            },
        });
        (await IdAsync(service, Wire.Http1, "mine")).ShouldBe("mine");
    }

    private static async Task<string?> IdAsync(TestService service, Wire wire, string? id)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/");
        if (id is not null)
        {
            request.Headers.Add(Header, id);
        }

        using var response = await service.SendAsync(request, wire);
        return response.Headers.TryGetValues(Header, out var values) ? values.Single() : null;
    }
}
