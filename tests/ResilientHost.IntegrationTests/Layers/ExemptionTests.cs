namespace ResilientHost.IntegrationTests.Layers;

public sealed class ExemptionTests
{
    [Fact]
    public async Task HealthStatusStaticAssetsAndAnswersOfRouting_HaveNoLayers()
    {
        var root = Directory.CreateTempSubdirectory("resilient-host-");
        try
        {
            var manifest = WriteAsset(root);
            await using var service = await TestService.StartAsync(new TestServiceSetup
            {
                ContentRoot = root.FullName,
                Configuration = """{ "CircuitBreakers": { "Default": { "Mode": "ForcedOpen" } } }""",
                Builder = builder => builder.Services.AddHealthChecks(),
                Endpoints = app =>
                {
                    app.MapHealthChecks("/healthz");
                    app.MapStaticAssets(manifest);
                    app.MapGet("/api", () => "never");
                },
            });
            (await service.StatusOfAsync("/api")).ShouldBe(503);
            (await service.StatusOfAsync("/healthz")).ShouldBe(200);
            (await service.Client().GetStringAsync("/site.css")).ShouldBe("body{}");
            using var wrongMethod = await service.Client().PostAsync("/api", content: null);
            wrongMethod.StatusCode.ShouldBe(HttpStatusCode.MethodNotAllowed, "routing's own answer");
            var names = (await service.StatusAsync()).GetProperty("circuitBreakers").EnumerateArray().Select(breaker => breaker.GetProperty("name").GetString()!);
            names.ShouldBe(["GET /api"]);
        }
        finally
        {
            root.Delete(recursive: true);
        }
    }

    private static string WriteAsset(DirectoryInfo root)
    {
        Directory.CreateDirectory(Path.Combine(root.FullName, "wwwroot"));
        File.WriteAllText(Path.Combine(root.FullName, "wwwroot", "site.css"), "body{}");
        var manifest = Path.Combine(root.FullName, "site.staticwebassets.endpoints.json");
        File.WriteAllText(manifest, """
            { "Version": 1, "ManifestType": "Publish", "Endpoints": [ { "Route": "site.css", "AssetFile": "site.css", "Selectors": [],
              "ResponseHeaders": [ { "Name": "Content-Type", "Value": "text/css" }, { "Name": "Content-Length", "Value": "6" }, { "Name": "ETag", "Value": "\"1\"" }, { "Name": "Last-Modified", "Value": "Fri, 03 Jan 2025 00:00:00 GMT" } ],
              "EndpointProperties": [] } ] }
            """);
        return manifest;
    }
}
