using System.Text.RegularExpressions;
using ResilientHost.IntegrationTests.Operations;

namespace ResilientHost.IntegrationTests.Contract;

/// <summary>What contract tests of operations have in common: circuits to operate on, and who operates.</summary>
internal static partial class OperationsDesk
{
    public const string Slashed = "orders/v1/größe 漢字 🚀 <img src=x onerror=alert(1)>";

    /// <summary>A circuit of each kind. Nothing opens by itself but after two failures in a row.</summary>
    public const string Circuits =
        """
        { "CircuitBreakers": {
            "Default": { "BreakJitter": 0 },
            "plain": { "ConsecutiveFailures": 2, "BreakDuration": "00:00:10", "HalfOpenProbes": 1 },
            "other": { },
            "orders/v1/größe 漢字 🚀 <img src=x onerror=alert(1)>": { "ConsecutiveFailures": 2, "BreakDuration": "00:00:10" },
            "tenants": { "PartitionBy": "RouteValue:tenant", "ConsecutiveFailures": 2, "BreakDuration": "00:01:00" },
            "shadow": { "Mode": "Shadow", "ConsecutiveFailures": 2 },
            "off": { "Mode": "Disabled" } },
          "Bulkheads": { "checkout": { "MaxConcurrency": 7 } } }
        """;

    /// <summary>Endpoints behind those circuits; the query <c>fail</c> makes them fail.</summary>
    public static void MapTraffic(WebApplication app)
    {
        static IResult Answer(HttpContext context) => context.Request.Query.ContainsKey("fail") ? Results.StatusCode(502) : Results.Text("served");
        app.MapGet("/plain", Answer).WithCircuitBreaker("plain");
        app.MapGet("/other", Answer).WithCircuitBreaker("other").WithBulkhead("checkout");
        app.MapGet("/slashed", Answer).WithCircuitBreaker(Slashed);
        app.MapGet("/tenants/{tenant}", Answer).WithCircuitBreaker("tenants");
        app.MapGet("/shadow", Answer).WithCircuitBreaker("shadow");
        app.MapGet("/off", Answer).WithCircuitBreaker("off");
        app.MapGet("/automatic", Answer);
    }

    /// <summary>The whole desk: status for anyone, page for who is known, operations for who is on call.</summary>
    public static TestServiceSetup Setup(string environment = "Production", string configuration = Circuits, ManualTimeProvider? time = null, Action<WebApplication>? more = null) =>
        OperationsService.Setup(
            app =>
            {
                MapTraffic(app);
                app.MapResilienceStatus().AllowAnonymous();
                app.MapResilienceDashboard().RequireAuthorization();
                app.MapResilienceOperations().RequireAuthorization(OperationsService.Policy);
                more?.Invoke(app);
            },
            environment,
            configuration,
            time);

    public static async Task<(int Status, string Body)> AskAsync(
        this TestService service, string path, string? user = null, HttpMethod? method = null, Wire wire = Wire.Http1, params IEnumerable<(string Name, string Value)> headers)
    {
        using var request = OperationsService.Request(method ?? HttpMethod.Get, path, user, null, headers);
        using var response = await service.SendAsync(request, wire);
        return ((int)response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    /// <summary>Posts bytes as they are.</summary>
    public static async Task<(int Status, string Body)> PostBytesAsync(
        this TestService service, string path, byte[] body, string? contentType = "application/json", string? user = "eve", Wire wire = Wire.Http1, bool chunked = false, params IEnumerable<(string Name, string Value)> headers)
    {
        using var request = OperationsService.Request(HttpMethod.Post, path, user, null, headers);
        request.Content = chunked ? new StreamContent(new Unseekable(body)) : new ByteArrayContent(body);
        if (contentType is not null)
        {
            request.Content.Headers.TryAddWithoutValidation("Content-Type", contentType).ShouldBeTrue();
        }

        request.Headers.TransferEncodingChunked = chunked && wire == Wire.Http1 ? true : null;
        using var response = await service.SendAsync(request, wire);
        return ((int)response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    public static Task<(int Status, string Body)> OperateAsync(this TestService service, string operation, object body, Wire wire = Wire.Http1, string? user = "eve", params IEnumerable<(string Name, string Value)> headers) =>
        service.PostBytesAsync("/resilience/circuit-breakers/" + operation, JsonSerializer.SerializeToUtf8Bytes(body), user: user, wire: wire, headers: headers);

    /// <summary>What is the same in every circuit of the contract.</summary>
    public static void ShouldBeCircuit(this JsonElement circuit)
    {
        circuit.GetProperty("name").ValueKind.ShouldBe(JsonValueKind.String);
        circuit.GetProperty("key").ValueKind.ShouldBeOneOf(JsonValueKind.String, JsonValueKind.Null);
        circuit.GetProperty("state").GetString().ShouldBeOneOf("closed", "open", "halfOpen", "isolated");
        circuit.GetProperty("mode").GetString().ShouldBeOneOf("enforce", "shadow", "disabled", "forcedOpen");
        circuit.GetProperty("failureRatio").GetDouble().ShouldBeInRange(0, 1);
        circuit.GetProperty("slowCallRatio").GetDouble().ShouldBeInRange(0, 1);
        circuit.GetProperty("calls").GetInt64().ShouldBeGreaterThanOrEqualTo(0);
        circuit.GetProperty("refused").GetInt64().ShouldBeGreaterThanOrEqualTo(0);
        circuit.GetProperty("retryAfterSeconds").ValueKind.ShouldBeOneOf(JsonValueKind.Number, JsonValueKind.Null);
        circuit.GetProperty("since").ShouldBeUtc();
    }

    public static void ShouldBeUtc(this JsonElement time) =>
        time.GetString().ShouldNotBeNull().ShouldMatch(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)$");

    public static JsonElement Circuit(this JsonElement status, string name, string? key = null) =>
        status.GetProperty("circuitBreakers").EnumerateArray().Single(circuit => circuit.GetProperty("name").GetString() == name && circuit.GetProperty("key").GetString() == key);

    public static async Task<JsonElement> CircuitAsync(this TestService service, string name, string? key = null)
    {
        var (status, body) = await service.AskAsync("/resilience/status", "eve");
        status.ShouldBe(200, body);
        return JsonElement.Parse(body).Circuit(name, key);
    }

    /// <summary>Everything that a page at an address refers to.</summary>
    public static IEnumerable<Uri> References(Uri page, string html) =>
        Reference().Matches(html).Select(match => new Uri(page, WebUtility.HtmlDecode(match.Groups[1].Value))).Distinct();

    [GeneratedRegex("""<(?:link|script|img)\b[^>]*?\b(?:href|src)="([^"]+)"[^>]*>""")]
    private static partial Regex Reference();

    private sealed class Unseekable(byte[] bytes) : MemoryStream(bytes)
    {
        public override bool CanSeek => false;
    }
}
