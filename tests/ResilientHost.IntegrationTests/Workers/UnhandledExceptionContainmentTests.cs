namespace ResilientHost.IntegrationTests.Workers;

/// <summary>What becomes of a process in which something throws where nothing catches.</summary>
public sealed class UnhandledExceptionContainmentTests
{
    private const string Option = "Resilience:Workers:ContainUnhandledExceptions";

    [Fact]
    public async Task NotAskedFor_EndsTheProcess()
    {
        await using var process = WorkerProcess.Start("generic layers loose");

        (await process.ExitCodeAsync()).ShouldBe(134);
    }

    [Theory]
    [InlineData("web")]
    [InlineData("generic")]
    public async Task AskedFor_ProcessLivesAndIsTainted(string kind)
    {
        await using var process = WorkerProcess.Start($"{kind} layers loose", (Option, "true"));

        await process.WaitForAsync("TAINTED 23");
        await process.WaitForAsync("Application started");
        process.IsAlive.ShouldBeTrue();
        process.Terminate();
        (await process.ExitCodeAsync()).ShouldBeOneOf(0, 143);

        // Once for each place, however often it threw.
        var told = process.Said.Where(line => line.Contains("This instance is tainted", StringComparison.Ordinal)).ToList();
        told.Count.ShouldBe(4, string.Join('\n', process.Said));
        process.Said.ShouldContain(line => line.Contains("19 more exceptions", StringComparison.Ordinal));
    }

    [Fact]
    public async Task AskedForAndKillSwitchOff_EndsTheProcess()
    {
        await using var process = WorkerProcess.Start("generic layers loose", (Option, "true"), ("Resilience:Workers:Enabled", "false"));

        (await process.ExitCodeAsync()).ShouldBe(134);
    }

    [Fact]
    public async Task AskedForAndHandlerTaken_DoesNotStartAndSaysWhy()
    {
        await using var process = WorkerProcess.Start("generic layers taken", (Option, "true"));

        (await process.ExitCodeAsync()).ShouldBe(1);
        process.Said.ShouldContain(line => line.StartsWith("NOT STARTED", StringComparison.Ordinal) && line.Contains("SetUnhandledExceptionHandler", StringComparison.Ordinal));
        process.Said.ShouldNotContain("STARTED");
    }
}
