namespace ResilientHost.IntegrationTests.Recovery;

public sealed class ContentNegotiationTests
{
    [Theory]
    [InlineData(null, "application/problem+json")]
    [InlineData("*/*", "application/problem+json")]
    [InlineData("application/json", "application/problem+json")]
    [InlineData("application/problem+json", "application/problem+json")]
    [InlineData("application/*", "application/problem+json")]
    [InlineData("application/vnd.acme.v2+json", "application/problem+json")]
    [InlineData("application/*+json", "application/problem+json")]
    [InlineData("text/html, application/json;q=0.1", "application/problem+json")]
    [InlineData("text/html,application/xhtml+xml,*/*;q=0.8", "application/problem+json")]
    [InlineData("text/plain", "text/plain")]
    [InlineData("text/html", "text/plain")]
    [InlineData("text/*", "text/plain")]
    [InlineData("application/xml", "text/plain")]
    [InlineData("application/json;q=0, text/plain", "text/plain")]
    public async Task Problem_Accept_DecidesTheContentType(string? accept, string mediaType)
    {
        await using var service = await TestService.StartAsync(app => app.MapGet("/", string () => throw new InvalidOperationException("canary-text")));
        using var request = new HttpRequestMessage(HttpMethod.Get, "/");
        if (accept is not null)
        {
            request.Headers.TryAddWithoutValidation("Accept", accept);
        }

        using var response = await service.SendAsync(request);
        response.StatusCode.ShouldBe(HttpStatusCode.InternalServerError);
        response.Content.Headers.ContentType?.MediaType.ShouldBe(mediaType);
        response.Headers.CacheControl?.NoStore.ShouldBeTrue();
        var body = await response.Content.ReadAsStringAsync();
        body.ShouldNotBeNullOrWhiteSpace();
        body.ShouldNotContain("canary-text");
        (body[0] == '{').ShouldBe(mediaType != "text/plain");
    }

    [Theory, OverBothWires]
    public async Task Refusal_CallerWantsText_GetsTextWithRetryAfter(Wire wire)
    {
        var gate = new Gate();
        await using var service = await TestService.StartAsync(
            app => app.MapGet("/", () => gate.PassAsync()).WithBulkhead("small"),
            """{ "Bulkheads": { "small": { "MaxConcurrency": 1 } } }""");
        var holder = service.GetAsync("/", wire);
        await gate.ArrivalAsync();

        using var request = new HttpRequestMessage(HttpMethod.Get, "/");
        request.Headers.Add("Accept", "text/plain");
        using var response = await service.SendAsync(request, wire);
        response.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        response.Content.Headers.ContentType?.MediaType.ShouldBe("text/plain");
        response.Headers.RetryAfter.ShouldNotBeNull();
        gate.Open();
        (await holder).Dispose();
    }
}
