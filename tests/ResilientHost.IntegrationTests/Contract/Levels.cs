namespace ResilientHost.IntegrationTests.Contract;

/// <summary>What contract tests of degradation have in common.</summary>
internal static class Levels
{
    /// <summary>The host's own signals without a say, so that a busy machine moves nothing.</summary>
    public const string Quiet =
        """
        "Cpu": { "Enabled": false }, "Memory": { "Enabled": false }, "MemoryProjected": { "Enabled": false }, "GcPause": { "Enabled": false },
        "ThreadPoolDelay": { "Enabled": false }, "FileDescriptors": { "Enabled": false }, "MemoryPressure": { "Enabled": false }
        """;

    /// <summary>A level that follows the application's signals at once.</summary>
    public const string Prompt = """ "SampleInterval": "00:00:00.100", "Smoothing": "00:00:00", "MinimumDwell": "00:00:00", "RampUp": "00:00:00", "RampDown": "00:00:00", "StartupGrace": "00:00:00", """ + Quiet;

    public const string ByHand = """{ "Degradation": { "Mode": "Shadow" }, "Connections": { "SurvivalConnectionsPerSecond": null } }""";

    public const string Trusting = """ "TrustedCallers": { "Networks": [ "127.0.0.0/8", "::1" ] } """;

    public static IServiceLevel Level(this TestService service) => service.Services.GetRequiredService<IServiceLevel>();

    public static HttpRequestMessage Request(string path, params ReadOnlySpan<(string Name, string Value)> headers)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, path);
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value).ShouldBeTrue();
        }

        return request;
    }

    public static async Task<int> StatusAsync(this TestService service, HttpRequestMessage request, Wire wire = Wire.Http1)
    {
        using (request)
        {
            using var response = await service.SendAsync(request, wire);
            return (int)response.StatusCode;
        }
    }

    /// <summary>How many of a hundred requests with ids of their own were served; the others were shed.</summary>
    public static async Task<int> ServedAsync(this TestService service, string path, Wire wire = Wire.Http1, params (string Name, string Value)[] headers)
    {
        var served = 0;
        for (var i = 0; i < 100; i++)
        {
            var status = await service.StatusAsync(Request(path, [.. headers, ("X-Request-ID", $"{path}-{i}")]), wire);
            status.ShouldBeOneOf(200, 503);
            served += status == 200 ? 1 : 0;
        }

        return served;
    }

    public static Task LevelIsAsync(this TestService service, ServiceLevel level) =>
        TestService.EventuallyAsync(
            async () => string.Equals((await service.StatusAsync()).GetProperty("level").GetString(), level.ToString(), StringComparison.OrdinalIgnoreCase), $"level {level}");
}
