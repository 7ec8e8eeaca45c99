using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace ResilientHost.IntegrationTests.Contract;

/// <summary>Listeners, loggers and metrics that throw or block must not reach a worker. Written from the contract alone.</summary>
public sealed class WorkerHostileContractTests
{
    private const string Prompt = """{ "Workers": { "Default": { "RestartDelay": "00:00:00", "MaxRestarts": 100 } } }""";

    [Fact]
    public async Task Listener_ThatThrowsOrBlocks_ReachesNeitherWorkersNorOtherListeners()
    {
        using var block = new ManualResetEventSlim();
        var script = new Script();
        var bench = WorkerBench.Build(Prompt, services => services.AddResilientWorker("a", script.Make));
        await using var _ = bench;
        bench.Workers.Transitioned += static _ => throw new InvalidOperationException("bad listener");
        bench.Workers.Transitioned += _ => block.Wait();
        await bench.Services.GetRequiredService<IHost>().StartAsync();
        for (var i = 0; i < 20; i++)
        {
            (await script.NextAsync()).Fail();
        }

        await script.NextAsync();
        await WorkerBench.EventuallyAsync(() => bench.Transitions.Count(static transition => transition.To == WorkerState.Running) == 21, "21 starts told");
        foreach (var (before, after) in bench.Transitions.Zip(bench.Transitions.Skip(1)))
        {
            after.From.ShouldBe(before.To, "transitions of a worker come in order and without a gap");
        }

        await bench.StopAsync();
        block.Set();
    }

    [Fact]
    public async Task Logger_ThatThrows_KeepsNoWorkerFromRestarting()
    {
        var script = new Script();
        await using var bench = await WorkerBench.StartAsync(Prompt, services =>
        {
            services.AddLogging(static logging => logging.AddProvider(new ThrowingLogs()));
            services.AddResilientWorker("a", script.Make);
            services.AddHostedService<Flaky>();
        });
        (await script.NextAsync()).Fail();
        var run = await script.NextAsync();
        (await run.Context.RunIterationAsync("pass", static _ => throw new InvalidOperationException("iteration"), run.Stopping)).ShouldBe(CallOutcome.Failed);
        await bench.BecomesAsync("Flaky", WorkerState.Running);
        await WorkerBench.EventuallyAsync(() => bench.Workers.Get("Flaky").Restarts == 1, "the hosted service restarted");
        var tasks = bench.Services.GetRequiredService<IIsolatedTasks>();
        (await tasks.Run("t", static _ => throw new InvalidOperationException("task")).WaitAsync(TestService.Patience)).ShouldBe(CallOutcome.Failed);
    }

    [Fact]
    public async Task MetricListener_ThatThrows_KeepsNoWorkerFromRestarting()
    {
        var script = new Script();
        var bench = WorkerBench.Build(Prompt, services => services.AddResilientWorker("a", script.Make));
        await using var _ = bench;
        var scope = bench.Services.GetRequiredService<IMeterFactory>();
        using var listener = new MeterListener
        {
            InstrumentPublished = (instrument, listener) =>
            {
                if (instrument.Meter.Name == ResilienceDiagnostics.MeterName && ReferenceEquals(instrument.Meter.Scope, scope))
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };
        listener.SetMeasurementEventCallback<long>(static (_, _, _, _) => throw new InvalidOperationException("bad meter"));
        listener.SetMeasurementEventCallback<double>(static (_, _, _, _) => throw new InvalidOperationException("bad meter"));
        listener.SetMeasurementEventCallback<int>(static (_, _, _, _) => throw new InvalidOperationException("bad meter"));
        listener.Start();
        await bench.Services.GetRequiredService<IHost>().StartAsync();
        (await script.NextAsync()).Fail();
        var run = await script.NextAsync();
        (await run.Context.RunIterationAsync("pass", static _ => Task.CompletedTask, run.Stopping)).ShouldBe(CallOutcome.Succeeded);
        var tasks = bench.Services.GetRequiredService<IIsolatedTasks>();
        (await tasks.Run("t", static _ => Task.CompletedTask).WaitAsync(TestService.Patience)).ShouldBe(CallOutcome.Succeeded);
        (await tasks.Run("t", static _ => throw new InvalidOperationException("task")).WaitAsync(TestService.Patience)).ShouldBe(CallOutcome.Failed);
        run.Fail();
        await script.NextAsync();
        await bench.StopAsync();
    }

    [Fact]
    public async Task SpanListener_ThatThrows_ReachesNeitherIterationsNorTasks()
    {
        var script = new Script();
        await using var bench = await WorkerBench.StartAsync(Prompt, ("hostile-spans", script));
        using var listener = new ActivityListener
        {
            ShouldListenTo = static source => source.Name == ResilienceDiagnostics.ActivitySourceName,
            Sample = static (ref ActivityCreationOptions<ActivityContext> _) => ActivitySamplingResult.AllData,
            ActivityStopped = static activity =>
            {
                if (activity.TagObjects.Any(static tag => tag.Value is "hostile-spans"))
                {
                    throw new InvalidOperationException("bad span listener");
                }
            },
        };
        ActivitySource.AddActivityListener(listener);
        var run = await script.NextAsync();
        var ran = 0;
        for (var i = 0; i < 3; i++)
        {
            (await run.Context.RunIterationAsync("pass", _ => Task.FromResult(++ran), run.Stopping)).ShouldBe(CallOutcome.Succeeded);
        }

        ran.ShouldBe(3);
        var tasks = bench.Services.GetRequiredService<IIsolatedTasks>();
        (await tasks.Run("hostile-spans", static _ => Task.CompletedTask).WaitAsync(TestService.Patience)).ShouldBe(CallOutcome.Succeeded);
    }

    [Fact]
    public async Task Stop_CallbacksOfTheTokenThrow_WorkerStillStops()
    {
        var script = new Script();
        await using var bench = await WorkerBench.StartAsync(Prompt, ("a", script));
        var run = await script.NextAsync();
        using var registration = run.Stopping.Register(static () => throw new InvalidOperationException("bad callback"));
        await bench.StopAsync();
        bench.Workers.Get("a").State.ShouldBe(WorkerState.Stopped);
    }

    [Fact]
    public async Task Stop_CallbackOfTheTokenBlocks_HostStillEndsInTime()
    {
        using var block = new ManualResetEventSlim();
        var script = new Script { IsStubborn = true };
        await using var bench = await WorkerBench.StartAsync(
            """{ "Workers": { "Default": { "StopTimeout": "00:00:00.200" } } }""", services => services.AddResilientWorker("a", script.Make), hasManualTime: false);
        var run = await script.NextAsync();
        using var registration = run.Stopping.UnsafeRegister(_ => block.Wait(), state: null);
        var stop = Task.Run(bench.StopAsync);
        (await Task.WhenAny(stop, Task.Delay(TimeSpan.FromSeconds(8)))).ShouldBe(stop, "the host waits for a callback of user code");
        block.Set();
        run.Return();
    }

    [Fact]
    public async Task Exception_WhoseOwnMembersThrow_IsAFailureLikeAnyOther()
    {
        var script = new Script();
        await using var bench = await WorkerBench.StartAsync(Prompt, ("a", script));
        (await script.NextAsync()).Throw(new HostileException());
        var run = await script.NextAsync();
        (await run.Context.RunIterationAsync("pass", static _ => throw new HostileException(), run.Stopping)).ShouldBe(CallOutcome.Failed);
        bench.Workers.Get("a").LastFailure.ShouldNotBeNull().ShouldContain("HostileException");
        var tasks = bench.Services.GetRequiredService<IIsolatedTasks>();
        (await tasks.Run("t", static _ => throw new HostileException()).WaitAsync(TestService.Patience)).ShouldBe(CallOutcome.Failed);
    }

    private sealed class HostileException : Exception
    {
        public override string Message => throw new InvalidOperationException("message");

        public override string? StackTrace => throw new InvalidOperationException("stack");

        public override string ToString() => throw new InvalidOperationException("text");
    }

    private sealed class Flaky : BackgroundService
    {
        private int _runs;

        protected override async Task ExecuteAsync(CancellationToken stoppingToken)
        {
            await Task.Yield();
            if (++_runs == 1)
            {
                throw new InvalidOperationException("flaky");
            }

            await Task.Delay(Timeout.Infinite, stoppingToken);
        }
    }

    private sealed class ThrowingLogs : ILoggerProvider, ILogger
    {
        public ILogger CreateLogger(string categoryName) => categoryName.StartsWith("ResilientHost", StringComparison.Ordinal) ? this : Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance;

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => throw new InvalidOperationException("bad scope");

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            throw new InvalidOperationException("bad log");

        public void Dispose()
        {
        }
    }
}
