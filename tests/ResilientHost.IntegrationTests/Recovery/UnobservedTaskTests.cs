using System.Runtime.CompilerServices;

namespace ResilientHost.IntegrationTests.Recovery;

/// <summary>Apart from the others: what nobody observes is seen by every service in the process.</summary>
[CollectionDefinition(nameof(UnobservedTaskTests), DisableParallelization = true)]
[Collection(nameof(UnobservedTaskTests))]
public sealed class UnobservedTaskTests
{
    private sealed class ForgottenException() : Exception("marker-unobserved");

    [Fact]
    public async Task Task_FailsAndNobodyLooks_IsLoggedAndCounted()
    {
        await using var service = await TestService.StartAsync(app => app.MapGet("/forget", () =>
        {
            Forget();
            return "fine";
        }));
        (await service.StatusOfAsync("/forget")).ShouldBe(200);

        await TestService.EventuallyAsync(
            async () =>
            {
                await service.StatusAsync();
                GC.Collect();
                GC.WaitForPendingFinalizers();
                return service.LogsAbout("marker-unobserved").Count > 0;
            },
            "an unobserved task exception in the log");
        service.LogsAbout("marker-unobserved").ShouldHaveSingleItem().Level.ShouldBe(LogLevel.Error);
        service.ValueOf(
            ResilienceDiagnostics.Instruments.RecoveryExceptions,
            (ResilienceDiagnostics.Tags.ExceptionOrigin, "unobserved_task"),
            (ResilienceDiagnostics.Tags.ExceptionType, typeof(ForgottenException).FullName)).ShouldBe(1);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Forget() => _ = Task.FromException(new ForgottenException());
}
