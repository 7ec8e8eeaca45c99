using Microsoft.AspNetCore.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ResilientHost.Tests.Recovery;

public partial class ExceptionRecoveryTests
{
    [Theory]
    [MemberData(nameof(Departures))]
    public async Task RecoverAsync_ClientGone_Is499WithoutBodyOrLoudLogAndIgnored(Exception exception)
    {
        using var host = new RecoveryHost();
        var request = host.Request();
        request.Headers.ETag = "\"1\"";
        request.Leave();

        (await host.RecoverAsync(request, exception)).ShouldBe(CallOutcome.Ignored);

        request.StatusCode.ShouldBe(499);
        request.BodyText.ShouldBeEmpty();
        request.Headers.ShouldBeEmpty();
        host.Log.Entries.ShouldAllBe(entry => entry.Level == LogLevel.Debug);
        host.Measurements.ShouldBeEmpty();
    }

    public static TheoryData<Exception> Departures() =>
        [new OperationCanceledException(), new TaskCanceledException(), new IOException(), new Microsoft.AspNetCore.Connections.ConnectionResetException("reset"), new InvalidOperationException("wrapped", new TaskCanceledException())];

    [Fact]
    public async Task RecoverAsync_ClientGoneAfterStart_IsIgnoredAndSilent()
    {
        using var host = new RecoveryHost();
        var request = host.Request();
        request.HasStarted = true;
        request.Leave();

        (await host.RecoverAsync(request, new OperationCanceledException())).ShouldBe(CallOutcome.Ignored);

        request.StatusCode.ShouldBe(200);
        host.Log.Loud.ShouldBeEmpty();
    }

    [Fact]
    public async Task RecoverAsync_RealFailureWhileClientIsGone_IsStillAFailure()
    {
        using var host = new RecoveryHost();
        var request = host.Request();
        request.Leave();

        (await host.RecoverAsync(request, Thrown(() => new InvalidOperationException("boom")))).ShouldBe(CallOutcome.Failed);

        host.Log.Loud.Count.ShouldBe(1);
    }

    [Fact]
    public async Task RecoverAsync_CancellationOfOurOwn_IsNotTakenForADeparture()
    {
        using var host = new RecoveryHost();
        var plain = host.Request();
        var replaced = host.Request();
        replaced.Leave();
        var scope = RecoveryHost.Scope();
        scope.ClientAborted = CancellationToken.None;

        (await host.RecoverAsync(plain, new OperationCanceledException())).ShouldBe(CallOutcome.Failed);
        (await host.RecoverAsync(replaced, new OperationCanceledException(), scope)).ShouldBe(CallOutcome.Failed);

        plain.StatusCode.ShouldBe(500);
        replaced.StatusCode.ShouldBe(500);
    }

    [Fact]
    public async Task RecoverAsync_ClientLeavesWhileAHandlerAnswers_BlamesNoHandler()
    {
        FakeRequest? request = null;
        using var host = new RecoveryHost(services: services => services.AddSingleton<IExceptionHandler>(new RecordingHandler(_ =>
        {
            request!.Leave();
            throw new OperationCanceledException();
        })));
        request = host.Request();

        (await host.RecoverAsync(request, Thrown(() => new InvalidOperationException("boom")))).ShouldBe(CallOutcome.Failed);

        host.Log.Loud.Select(entry => entry.Id.Id).ShouldBe([1500]);
    }
}
