using System.Globalization;

namespace ResilientHost.IntegrationTests.Fixture;

/// <summary>What every problem answer has in common.</summary>
internal static class ProblemAssertions
{
    private static readonly string[] Members = ["type", "title", "status", "code", "traceId", "timestamp"];

    /// <summary>A problem without a time to come back.</summary>
    public static Task<JsonElement> ShouldBeProblemAsync(this HttpResponseMessage response, int status, string code) =>
        response.ShouldBeProblemWithMembersAsync(status, code, Members);

    /// <summary>A problem whose header and body name the same time to come back.</summary>
    public static async Task<int> ShouldBeRefusalAsync(this HttpResponseMessage response, int status, string code)
    {
        var problem = await response.ShouldBeProblemWithMembersAsync(status, code, [.. Members, "retryAfterSeconds"]);
        var seconds = problem.GetProperty("retryAfterSeconds").GetInt32();
        seconds.ShouldBeGreaterThanOrEqualTo(1);
        response.Headers.RetryAfter?.Delta.ShouldBe(TimeSpan.FromSeconds(seconds));
        response.Headers.NonValidated["Retry-After"].ToString().ShouldBe(seconds.ToString(CultureInfo.InvariantCulture));
        return seconds;
    }

    public static async Task<JsonElement> ShouldBeProblemWithMembersAsync(this HttpResponseMessage response, int status, string code, IEnumerable<string> members)
    {
        var body = await response.Content.ReadAsStringAsync();
        ((int)response.StatusCode).ShouldBe(status, body);
        response.Content.Headers.ContentType?.MediaType.ShouldBe("application/problem+json");
        response.Headers.NonValidated["Cache-Control"].ToString().ShouldBe("no-store");
        response.Headers.Contains("Retry-After").ShouldBe(members.Contains("retryAfterSeconds"));

        var problem = JsonElement.Parse(body);
        problem.EnumerateObject().Select(member => member.Name).ShouldBe(members, ignoreOrder: true);
        problem.GetProperty("type").GetString().ShouldBe($"urn:resilient-host:problem:{code.Replace('_', '-')}");
        problem.GetProperty("title").GetString().ShouldNotBeNullOrWhiteSpace();
        problem.GetProperty("status").GetInt32().ShouldBe(status);
        problem.GetProperty("code").GetString().ShouldBe(code);
        problem.ShouldHaveTraceId();
        problem.GetProperty("timestamp").GetString().ShouldNotBeNull().ShouldMatch(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)$");
        return problem;
    }

    public static string ShouldHaveTraceId(this JsonElement problem)
    {
        var traceId = problem.GetProperty("traceId").GetString().ShouldNotBeNull();
        traceId.ShouldMatch("^[0-9a-f]{32}$");
        traceId.ShouldNotBe(new string('0', 32));
        return traceId;
    }
}
