using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using ResilientHost.Recovery;

namespace ResilientHost.Tests.Recovery;

public class ProcessExceptionObserverTests
{
    [Fact]
    public void UnobservedTask_IsLoggedCountedAndObserved()
    {
        using var host = new RecoveryHost();
        var args = new UnobservedTaskExceptionEventArgs(new AggregateException(new InvalidOperationException("lost")));

        Observer(host).OnUnobservedTaskException(null, args);

        args.Observed.ShouldBeTrue();
        var entry = host.Log.Loud.ShouldHaveSingleItem();
        entry.Id.Id.ShouldBe(1508);
        entry.Message.ShouldContain("System.InvalidOperationException");
        host.Measurements.ShouldHaveSingleItem().ShouldEndWith("exception.type=System.InvalidOperationException resilient_host.exception.origin=unobserved_task");
    }

    [Fact]
    public async Task UnobservedTask_OfAnExceptionARequestHasReported_IsNotReportedAgain()
    {
        using var host = new RecoveryHost();
        var exception = new InvalidOperationException("known");
        await host.RecoverAsync(host.Request(), exception);

        Observer(host).OnUnobservedTaskException(null, new UnobservedTaskExceptionEventArgs(new AggregateException(exception)));

        host.Log.Loud.Count.ShouldBe(1);
        host.Measurements.Count.ShouldBe(1);
    }

    [Fact]
    public void UnobservedTask_Storm_IsSummedUp()
    {
        using var host = new RecoveryHost();
        for (var i = 0; i < 50; i++)
        {
            Observer(host).OnUnobservedTaskException(null, new UnobservedTaskExceptionEventArgs(new AggregateException(new InvalidOperationException("lost"))));
        }

        host.Time.Advance(TimeSpan.FromSeconds(10));

        host.Log.Loud.Select(entry => entry.Id.Id).ShouldBe([1508, 1502]);
        host.Measurements.Count.ShouldBe(50);
    }

    [Fact]
    public void UnobservedTask_LoggerThatThrows_DoesNotReachTheFinalizer()
    {
        using var host = new RecoveryHost();
        host.Log.OnWrite = () => throw new InvalidOperationException("logger");

        Should.NotThrow(() => Observer(host).OnUnobservedTaskException(null, new UnobservedTaskExceptionEventArgs(new AggregateException(new InvalidOperationException("lost")))));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Unhandled_IsCriticalAndFlushedOnlyWhenTheProcessEnds(bool isTerminating)
    {
        using var host = new RecoveryHost();

        Observer(host).OnUnhandledException(this, new UnhandledExceptionEventArgs(new InvalidOperationException("fatal"), isTerminating));

        var entry = host.Log.Loud.ShouldHaveSingleItem();
        entry.Level.ShouldBe(LogLevel.Critical);
        entry.Id.Id.ShouldBe(1509);
        host.Measurements.ShouldHaveSingleItem().ShouldEndWith("origin=unhandled");
        host.Log.IsDisposed.ShouldBe(isTerminating);
    }

    [Fact]
    public void Unhandled_ProviderThatNeverFlushes_DoesNotHoldUpTheEndOfTheProcess()
    {
        using var gate = new ManualResetEventSlim();
        using var stuck = new StuckProvider(gate);
        using var host = new RecoveryHost(services: services => services.AddLogging(logging => logging.AddProvider(stuck)));
        var observer = Observer(host);
        observer.FlushTimeout = TimeSpan.FromMilliseconds(1);

        observer.OnUnhandledException(this, new UnhandledExceptionEventArgs(new InvalidOperationException("fatal"), isTerminating: true));

        gate.IsSet.ShouldBeFalse();
        host.Log.Loud.ShouldHaveSingleItem();
        gate.Set();
    }

    [Fact]
    public void Unhandled_SomethingThatIsNoException_IsStillReported()
    {
        using var host = new RecoveryHost();

        Observer(host).OnUnhandledException(this, new UnhandledExceptionEventArgs("text", isTerminating: false));

        host.Log.Loud.ShouldHaveSingleItem().Level.ShouldBe(LogLevel.Critical);
    }

    [Fact]
    public async Task Unhandled_WhileAStormIsPending_WritesItsSummary()
    {
        using var host = new RecoveryHost();
        var exception = new InvalidOperationException("x");
        await host.RecoverAsync(host.Request(), exception);
        await host.RecoverAsync(host.Request(), exception);

        Observer(host).OnUnhandledException(this, new UnhandledExceptionEventArgs(new InvalidDataException("fatal"), isTerminating: true));

        host.Log.Loud.Select(entry => entry.Id.Id).ShouldBe([1500, 1509, 1502]);
    }

    [Fact]
    public void Disabled_ObservesNothing()
    {
        using var host = new RecoveryHost(options => options.Enabled = false);
        var args = new UnobservedTaskExceptionEventArgs(new AggregateException(new InvalidOperationException("lost")));

        Observer(host).OnUnobservedTaskException(null, args);

        args.Observed.ShouldBeFalse();
        host.Log.Entries.ShouldBeEmpty();
    }

    [Fact]
    public async Task StartStop_SeveralHosts_EachSeesItsOwnTimeAndLeavesNothingBehind()
    {
        using var first = new RecoveryHost();
        using var second = new RecoveryHost();
        await Observer(first).StartAsync(CancellationToken.None);
        await Observer(first).StartAsync(CancellationToken.None);
        await Observer(second).StartAsync(CancellationToken.None);

        LoseTask("both");
        await Observer(first).StopAsync(CancellationToken.None);
        LoseTask("second only");
        await Observer(second).StopAsync(CancellationToken.None);
        await Observer(second).StopAsync(CancellationToken.None);
        LoseTask("nobody");

        Messages(first).ShouldBe(["both"]);
        Messages(second).ShouldBe(["both", "second only"]);
    }

    private static IEnumerable<string> Messages(RecoveryHost host) =>
        host.Log.Loud.Where(entry => entry.Id.Id == 1508).Select(entry => ((AggregateException)entry.Exception!).InnerException!)
            .OfType<MarkerException>().Select(exception => exception.Message);

    private static void LoseTask(string marker)
    {
        // Other throw sites for each marker would be needed for the storm gate; another type argument does the same.
        MakeLostTask(marker);
        GC.Collect();
        GC.WaitForPendingFinalizers();
    }

    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
    private static void MakeLostTask(string marker) => _ = Task.FromException(marker switch
    {
        "both" => new FirstMarker(marker),
        "second only" => new SecondMarker(marker),
        _ => new MarkerException(marker),
    });

    private static ProcessExceptionObserver Observer(RecoveryHost host) =>
        host.Services.GetServices<IHostedService>().OfType<ProcessExceptionObserver>().Single();

    private sealed class StuckProvider(ManualResetEventSlim gate) : ILoggerProvider
    {
        public ILogger CreateLogger(string categoryName) => Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance;

        public void Dispose()
        {
            if (!gate.IsSet)
            {
                gate.Wait();
            }
        }
    }

    private class MarkerException(string message) : Exception(message);

    private sealed class FirstMarker(string message) : MarkerException(message);

    private sealed class SecondMarker(string message) : MarkerException(message);
}
