namespace ResilientHost.IntegrationTests.Operations;

/// <summary>The description says of every answer what is really in it.</summary>
public sealed class OpenApiTests
{
    [Fact]
    public async Task Description_IsServedWithItsOwnAddress()
    {
        await using var service = await TestService.StartAsync(OperationsService.Setup(app => app.MapGroup("/inner").MapResilienceDashboard("/ops").AllowAnonymous()));
        var document = await DescriptionAsync(service, "/inner/ops/openapi.json");
        document.GetProperty("openapi").GetString().ShouldBe("3.1.0");
        document.GetProperty("servers")[0].GetProperty("url").GetString().ShouldBe("/inner/ops");
    }

    [Fact]
    public async Task Description_HasEveryEndpointAndEachReferenceLeadsSomewhere()
    {
        await using var service = await TestService.StartAsync(OperationsService.Setup(app => app.MapResilienceDashboard(), "Development"));
        var document = await DescriptionAsync(service, "/resilience/openapi.json");
        var described = document.GetProperty("paths").EnumerateObject()
            .SelectMany(static path => path.Value.EnumerateObject().Select(verb => $"{verb.Name.ToUpperInvariant()} /resilience{path.Name}"));
        var mapped = service.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Where(static endpoint => endpoint.DisplayName?.StartsWith("Resilience ", StringComparison.Ordinal) == true && !endpoint.DisplayName.StartsWith("Resilience dashboard", StringComparison.Ordinal))
            .Select(static endpoint => $"{endpoint.Metadata.GetMetadata<HttpMethodMetadata>()!.HttpMethods[0]} {endpoint.RoutePattern.RawText}");
        mapped.ShouldBe(described, ignoreOrder: true);
        var schemas = document.GetProperty("components").GetProperty("schemas");
        foreach (var reference in References(document))
        {
            reference.ShouldStartWith("#/components/schemas/");
            schemas.TryGetProperty(reference["#/components/schemas/".Length..], out _).ShouldBeTrue(reference);
        }

        var used = References(document).Distinct().Select(static reference => reference["#/components/schemas/".Length..]).ToList();
        string[] onlyTold = ["Sample", "LevelEvent", "Heartbeat"];
        schemas.EnumerateObject().Select(static schema => schema.Name).Except(used).ShouldBe(onlyTold, ignoreOrder: true);
    }

    [Fact]
    public async Task Answers_AreAsDescribed()
    {
        await using var service = await TestService.StartAsync(OperationsService.Setup(
            app =>
            {
                app.MapResilienceDashboard();
                app.MapGet("/fail", string () => throw new InvalidOperationException("boom")).WithCircuitBreaker("orders").WithBulkhead("checkout").WithFallback(() => "instead");
                app.MapGet("/fine", () => "fine");
            },
            "Development",
            """
            { "CircuitBreakers": { "orders": { "ConsecutiveFailures": 1 } }, "Bulkheads": { "checkout": { } },
              "HttpClients": { "pricing": { } } }
            """,
            more: builder =>
            {
                builder.Services.AddHttpClient("pricing").AddResilienceLayers("pricing");
                builder.Services.AddResilientWorker("sync", static _ => new Sleeper());
            }));
        using var stream = await EventStream.OpenAsync(service);
        (await service.StatusOfAsync("/fail")).ShouldBe(200);
        (await service.StatusOfAsync("/fine")).ShouldBe(200);
        using (var client = service.Services.GetRequiredService<IHttpClientFactory>().CreateClient("pricing"))
        {
            (await client.GetAsync(new Uri(service.Client().BaseAddress!, "/fine"))).Dispose();
        }

        var sample = await stream.NextAsync("sample", static told => told.GetProperty("circuits").GetArrayLength() > 0);
        var schemas = (await DescriptionAsync(service, "/resilience/openapi.json")).GetProperty("components").GetProperty("schemas");
        var seen = new HashSet<string>();
        var status = await GetAsync(service, "status");
        status.GetProperty("fallbacks")[0].GetProperty("circuitBreaker").GetString().ShouldBe("orders");
        Check(status, "Status");
        Check(await GetAsync(service, "history"), "History");
        Check(await GetAsync(service, "configuration"), "Configuration");
        Check(sample, "Sample");
        service.Services.GetRequiredService<IServiceLevel>().Override(ServiceLevel.Reduced, TimeSpan.FromMinutes(1));
        Check(await stream.NextAsync("level", static told => told.GetProperty("overridden").GetBoolean()), "LevelEvent");
        Check(JsonElement.Parse((await service.PostAsync("/resilience/level", """{ "level": null }""")).Body), "LevelAnswer");
        Check(JsonElement.Parse((await service.PostAsync("/resilience/circuit-breakers/isolate", """{ "name": "orders" }""")).Body), "CircuitBreaker");
        ((string[])["CircuitBreaker", "Bulkhead", "Fallback", "HttpClient", "Authority", "Worker", "Signal", "CircuitHistory", "WorkerHistory", "LoggedEvent", "StateSegment", "LevelSegment", "CircuitSample", "ConfigurationEntry"])
            .Except(seen).ShouldBeEmpty("nothing of the kind was in any answer");

        void Check(JsonElement value, string schema)
        {
            seen.Add(schema);
            Matches(value, schemas.GetProperty(schema), schema);
        }

        void Matches(JsonElement value, JsonElement schema, string path)
        {
            if (schema.TryGetProperty("$ref", out var reference))
            {
                var name = reference.GetString()!["#/components/schemas/".Length..];
                seen.Add(name);
                schema = schemas.GetProperty(name);
            }

            var types = schema.GetProperty("type") is { ValueKind: JsonValueKind.Array } several ? [.. several.EnumerateArray().Select(static type => type.GetString())] : new[] { schema.GetProperty("type").GetString() };
            var type = value.ValueKind switch
            {
                JsonValueKind.Null => "null",
                JsonValueKind.True or JsonValueKind.False => "boolean",
                JsonValueKind.Number => types.Contains("integer") && value.TryGetInt64(out _) ? "integer" : "number",
                JsonValueKind.String => "string",
                JsonValueKind.Array => "array",
                _ => "object",
            };
            types.ShouldContain(type, $"{path} is {value.GetRawText()}");
            if (schema.TryGetProperty("enum", out var known))
            {
                known.EnumerateArray().Select(static one => one.ToString()).ShouldContain(value.ToString(), path);
            }

            if (schema.TryGetProperty("format", out var format) && format.GetString() == "date-time" && type == "string")
            {
                value.GetDateTimeOffset().Offset.ShouldBe(TimeSpan.Zero, path);
            }

            if (type == "array")
            {
                foreach (var item in value.EnumerateArray())
                {
                    Matches(item, schema.GetProperty("items"), $"{path}[]");
                }
            }
            else if (type == "object")
            {
                value.EnumerateObject().Select(static member => member.Name).ShouldBe(schema.GetProperty("properties").EnumerateObject().Select(static member => member.Name), ignoreOrder: true, path);
                foreach (var member in value.EnumerateObject())
                {
                    Matches(member.Value, schema.GetProperty("properties").GetProperty(member.Name), $"{path}.{member.Name}");
                }
            }
        }
    }

    private sealed class Sleeper : IResilientWorker
    {
        public Task RunAsync(WorkerContext context, CancellationToken stoppingToken) => Task.Delay(Timeout.Infinite, stoppingToken);
    }

    private static async Task<JsonElement> GetAsync(TestService service, string path) => await DescriptionAsync(service, $"/resilience/{path}");

    private static async Task<JsonElement> DescriptionAsync(TestService service, string path)
    {
        using var response = await service.GetAsync(path);
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        response.Content.Headers.ContentType!.MediaType.ShouldBe("application/json");
        return JsonElement.Parse(await response.Content.ReadAsStringAsync());
    }

    private static IEnumerable<string> References(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => element.EnumerateObject().SelectMany(static member => member.Name == "$ref" ? [member.Value.GetString()!] : References(member.Value)),
        JsonValueKind.Array => element.EnumerateArray().SelectMany(References),
        _ => [],
    };
}
