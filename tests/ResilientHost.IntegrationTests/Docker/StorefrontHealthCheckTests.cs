using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Reflection;
using System.Runtime.InteropServices;

namespace ResilientHost.IntegrationTests.Docker;

/// <summary>The command that is the health check of Storefront's image: it asks, and answers by its exit code.</summary>
public sealed class StorefrontHealthCheckTests
{
    [Theory]
    [InlineData(200, 0)]
    [InlineData(503, 1)]
    [InlineData(302, 1)]
    public async Task HealthCheck_OfAnAnswer_ExitsByItsStatus(int status, int exitCode)
    {
        await using var service = await ScriptedServer.StartAsync();
        service.Default.Replies(ScriptedReply.Status(status));

        (await RunAsync("--health-check", new Uri(service.Address, "health/ready").ToString())).ShouldBe(exitCode);
        service.Requests.ShouldHaveSingleItem().Path.ShouldBe("/health/ready");
    }

    [Fact]
    public async Task HealthCheck_NobodyListens_ExitsWithOne()
    {
        using var unused = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        unused.Bind(new IPEndPoint(IPAddress.Loopback, 0));

        (await RunAsync("--health-check", $"http://{unused.LocalEndPoint}/health/ready")).ShouldBe(1);
    }

    [Theory]
    [InlineData("--health-check")]
    [InlineData("--health-check", "ready")]
    [InlineData("--health-check", "file:///etc/passwd")]
    [InlineData("--health-check", "http://127.0.0.1:1/", "more")]
    public async Task HealthCheck_WithoutAnAddress_ExitsWithTwo(params string[] arguments) => (await RunAsync(arguments)).ShouldBe(2);

    private static async Task<int> RunAsync(params string[] arguments)
    {
        var assembly = Path.GetFullPath(Path.Combine(
            AppContext.BaseDirectory,
            typeof(StorefrontHealthCheckTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(attribute => attribute.Key == "Storefront").Value!));
        var start = new ProcessStartInfo(Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", "dotnet")), [assembly, .. arguments])
        {
            RedirectStandardError = true,
            UseShellExecute = false,
        };

        // Nobody listens there: who went through it would not reach the service.
        start.Environment["http_proxy"] = "http://127.0.0.1:1";
        using var process = Process.Start(start).ShouldNotBeNull();
        try
        {
            await process.StandardError.ReadToEndAsync();
            await process.WaitForExitAsync().WaitAsync(TestService.Patience * 3);
            return process.ExitCode;
        }
        finally
        {
            process.Kill(entireProcessTree: true);
        }
    }
}
