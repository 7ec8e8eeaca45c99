namespace ResilientHost.IntegrationTests.Recovery;

public sealed class HostileInputTests
{
    private sealed class HostileException(string kind) : Exception
    {
        public override string Message => kind is "Message" or "all" ? throw new InvalidOperationException("hostile message") : "harmless";

        public override string? StackTrace => kind is "StackTrace" or "all" ? throw new InvalidOperationException("hostile stack") : base.StackTrace;

        public override System.Collections.IDictionary Data => kind is "Data" or "all" ? throw new InvalidOperationException("hostile data") : base.Data;

        public override string ToString() => kind is "ToString" or "all" ? throw new InvalidOperationException("hostile text") : "harmless";
    }

    private const int Cap = 64 * 1024;

    private static void Map(WebApplication app)
    {
        app.MapGet("/huge", string () => throw new InvalidOperationException("marker-huge" + new string('x', 10 * 1024 * 1024)));
        app.MapGet("/hostile/{kind}", string (string kind) => throw new HostileException(kind));
        app.MapGet("/control", string () => throw new InvalidOperationException("marker-control\r\nFORGED entry\u001b[31m red\0"));
        app.MapGet("/any/{**path}", string (string path) => throw new InvalidOperationException("marker-path"));
        app.MapGet("/fine", () => "fine");
    }

    private static void ShouldBeOneSafeEntry(RecordedLog entry)
    {
        entry.Message.Length.ShouldBeLessThan(Cap);
        (entry.Exception?.ToString().Length ?? 0).ShouldBeLessThan(Cap);
        entry.Message.Where(character => char.IsControl(character) && character is not ('\r' or '\n' or '\t')).ShouldBeEmpty();
        entry.Message.Split('\n').ShouldNotContain(line => line.TrimStart().StartsWith("FORGED", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("Message", "Production")]
    [InlineData("StackTrace", "Production")]
    [InlineData("ToString", "Production")]
    [InlineData("Data", "Production")]
    [InlineData("all", "Production")]
    [InlineData("Message", "Development")]
    [InlineData("StackTrace", "Development")]
    [InlineData("all", "Development")]
    public async Task Exception_MembersThrow_IsContained(string kind, string environment)
    {
        await using var service = await TestService.StartAsync(new TestServiceSetup { Environment = environment, Endpoints = Map });
        using var response = await service.GetAsync($"/hostile/{kind}");
        response.StatusCode.ShouldBe(HttpStatusCode.InternalServerError);
        response.Content.Headers.ContentType?.MediaType.ShouldBe("application/problem+json");
        await service.Logs.WaitForAsync(entry => entry.Level == LogLevel.Error, TestService.Patience);
        service.Logs.Entries.Count(entry => entry.Level >= LogLevel.Warning).ShouldBe(1);
        (await service.StatusOfAsync("/fine")).ShouldBe(200);
        await service.NothingHeldAsync();
    }

    [Theory]
    [InlineData("Production")]
    [InlineData("Development")]
    public async Task Exception_MessageOf10MB_IsCappedEverywhere(string environment)
    {
        await using var service = await TestService.StartAsync(new TestServiceSetup { Environment = environment, Endpoints = Map });
        using var response = await service.GetAsync("/huge");
        response.StatusCode.ShouldBe(HttpStatusCode.InternalServerError);
        (await response.Content.ReadAsStringAsync()).Length.ShouldBeLessThan(Cap);
        ShouldBeOneSafeEntry(await service.OneLogAboutAsync("marker-huge"));
    }

    [Fact]
    public async Task Exception_MessageWithControlCharacters_CannotForgeALogEntry()
    {
        await using var service = await TestService.StartAsync(Map);
        (await service.StatusOfAsync("/control")).ShouldBe(500);
        ShouldBeOneSafeEntry(await service.OneLogAboutAsync("marker-control"));
    }

    [Theory, OverBothWires]
    public async Task Path_Of8KBWithControlCharacters_IsContained(Wire wire)
    {
        await using var service = await TestService.StartAsync(Map);
        var path = "/any/" + string.Concat(Enumerable.Repeat("%0d%0aFORGED%1b%5b31m", 8192 / 20));
        using var response = await service.GetAsync(path, wire);
        await response.ShouldBeProblemAsync(500, "unhandled_exception");
        ShouldBeOneSafeEntry(await service.OneLogAboutAsync("marker-path"));
    }

    [Fact]
    public async Task RequestId_WithHostileCharacters_DoesNotForgeALogEntry()
    {
        await using var service = await TestService.StartAsync(Map);
        using var connection = await service.ConnectAsync();
        var answer = await connection.RequestAsync("GET", "/any/thing", "X-Request-ID: a\u001b[31m" + new string('z', 8000));
        answer.ShouldStartWith("HTTP/1.1 ");
        foreach (var entry in service.LogsAbout("marker-path"))
        {
            ShouldBeOneSafeEntry(entry);
        }

        (await service.StatusOfAsync("/fine")).ShouldBe(200);
    }
}
