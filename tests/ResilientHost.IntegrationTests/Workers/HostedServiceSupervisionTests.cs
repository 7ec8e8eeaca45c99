namespace ResilientHost.IntegrationTests.Workers;

/// <summary>What becomes of an application whose own background services fail, unchanged, in processes of their own.</summary>
public sealed class HostedServiceSupervisionTests
{
    private const int Sigterm = 143;

    [Theory]
    [InlineData("web")]
    [InlineData("generic")]
    public async Task WithoutTheSuite_FailingService_EndsTheProcessAsIfAllWereWell(string kind)
    {
        await using var process = WorkerProcess.Start($"{kind} broken-later");

        (await process.ExitCodeAsync()).ShouldBe(0);
        process.Said.ShouldContain(line => line.Contains("BackgroundService failed", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("web")]
    [InlineData("generic")]
    public async Task FailingService_IsStartedAgainUntilItWorks(string kind)
    {
        await using var process = WorkerProcess.Start($"{kind} layers flaky");

        await process.WaitForAsync("WORKS");
        await process.WaitForAsync("Application started");

        process.Said.Where(line => line.StartsWith("RUN ", StringComparison.Ordinal)).ShouldBe(["RUN 1", "RUN 2", "RUN 3", "RUN 4"]);
        process.IsAlive.ShouldBeTrue();
        process.Terminate();
        (await process.ExitCodeAsync()).ShouldBeOneOf(0, Sigterm);
        process.Said.ShouldContain("SIBLING ENDS");
    }

    [Theory]
    [InlineData("web")]
    [InlineData("generic")]
    public async Task FailingService_IsToldOfOnce(string kind)
    {
        await using var process = WorkerProcess.Start($"{kind} layers flaky");

        await process.WaitForAsync("WORKS");
        await process.WaitForAsync("Application started");
        process.Terminate();
        await process.ExitCodeAsync();

        var said = string.Join('\n', process.Said);
        said.ShouldNotContain("BackgroundService failed");
        Count(said, "InvalidOperationException: flaw-1").ShouldBe(1, said);
        Count(said, "InvalidOperationException: flaw-2").ShouldBeLessThanOrEqualTo(1, said);
    }

    [Theory]
    [InlineData("web broken")]
    [InlineData("generic broken")]
    [InlineData("web broken stop")]
    public async Task BrokenService_GivenUp_EndsTheProcessWithAnExitCodeThatTellsSo(string program)
    {
        await using var process = WorkerProcess.Start($"{program} layers", ("Resilience:Workers:Default:MaxRestarts", "2"));

        (await process.ExitCodeAsync()).ShouldBe(ResilienceDiagnostics.GaveUpExitCode, string.Join('\n', process.Said));
        process.Said.ShouldContain("SIBLING ENDS");
        string.Join('\n', process.Said).ShouldNotContain("BackgroundService failed");
    }

    [Theory]
    [InlineData("web")]
    [InlineData("generic")]
    public async Task BrokenService_ApplicationIgnoresFailures_LeavesTheRestRunning(string kind)
    {
        // PostConfigure, after AddResilienceLayers: the last word that an application can have.
        await using var process = WorkerProcess.Start($"{kind} layers broken ignore", ("Resilience:Workers:Default:MaxRestarts", "1"));

        await process.WaitForAsync("Application started");
        await process.WaitForAsync("Broken");
        await process.WaitForAsync("iven up");
        process.IsAlive.ShouldBeTrue();
        process.Terminate();
        (await process.ExitCodeAsync()).ShouldBeOneOf(0, Sigterm);
    }

    [Fact]
    public async Task BrokenService_OwnOnGiveUp_BeatsWhatTheHostSays()
    {
        await using var process = WorkerProcess.Start("generic layers broken ignore", ("Resilience:Workers:Broken:MaxRestarts", "0"), ("Resilience:Workers:Broken:OnGiveUp", "StopHost"));

        (await process.ExitCodeAsync()).ShouldBe(ResilienceDiagnostics.GaveUpExitCode, string.Join('\n', process.Said));
    }

    [Fact]
    public async Task BrokenService_SupervisionOff_BehavesAsWithoutTheSuite()
    {
        await using var process = WorkerProcess.Start("generic layers broken-later", ("Resilience:Workers:SuperviseHostedServices", "false"));

        (await process.ExitCodeAsync()).ShouldBe(0);
        Count(string.Join('\n', process.Said), "BackgroundService failed").ShouldBe(1);
    }

    [Fact]
    public async Task BrokenService_KillSwitchOff_HasTheOutcomeItHasWithoutTheSuite()
    {
        await using var process = WorkerProcess.Start("generic layers broken-later", ("Resilience:Workers:Enabled", "false"));

        (await process.ExitCodeAsync()).ShouldBe(0, string.Join('\n', process.Said));
    }

    [Theory]
    [InlineData("web")]
    [InlineData("generic")]
    public async Task CriticalWorker_GivenUp_EndsTheProcessWithAnExitCodeThatTellsSo(string kind)
    {
        await using var process = WorkerProcess.Start($"{kind} layers broken-worker", ("Resilience:Workers:broken:Criticality", "Critical"), ("Resilience:Workers:broken:MaxRestarts", "1"));

        (await process.ExitCodeAsync()).ShouldBe(ResilienceDiagnostics.GaveUpExitCode, string.Join('\n', process.Said));
    }

    [Fact]
    public async Task DefaultWorker_GivenUp_LeavesTheRestRunning()
    {
        await using var process = WorkerProcess.Start("web layers broken-worker", ("Resilience:Workers:broken:MaxRestarts", "1"));

        var address = (await process.WaitForAsync("LISTENING "))["LISTENING ".Length..];
        await process.WaitForAsync("iven up");
        using var client = new HttpClient();
        (await client.GetStringAsync(new Uri(address))).ShouldBe("here");
        process.Terminate();
        (await process.ExitCodeAsync()).ShouldBeOneOf(0, Sigterm);
    }

    private static int Count(string text, string part) => text.Split(part).Length - 1;
}
