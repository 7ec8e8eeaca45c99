using System.Collections.Concurrent;
using System.Diagnostics;
using System.Threading.Channels;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using ResilientHost.Testing;
using ResilientHost.Workers;

namespace ResilientHost.Tests.Workers;

/// <summary>Workers in a real generic host.</summary>
public sealed class WorkerHostTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly LogRecorder _logs = new();
    private readonly Story _story = new();

    private HostApplicationBuilder Builder(params (string Key, string Value)[] settings)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Configuration.AddInMemoryCollection(settings.ToDictionary(pair => $"Resilience:{pair.Key}", pair => (string?)pair.Value));
        builder.Configuration["Resilience:Workers:Default:RestartDelay"] ??= "00:00:00";
        builder.Logging.AddProvider(_logs).SetMinimumLevel(LogLevel.Trace);
        builder.Services.AddSingleton(_story);
        builder.Services.AddScoped<Scoped>();
        builder.AddResilienceLayers();
        return builder;
    }

    [Fact]
    public async Task Worker_Fails_NextRunHasNewInstanceAndScopeAfterTheOldOnesAreDisposed()
    {
        var builder = Builder();
        builder.Services.AddResilientWorker<FailsOnce>("w");
        using var host = builder.Build();
        await host.StartAsync();

        await _story.WaitForAsync("run 2");

        _story.Told.ShouldBe(["made 1 w#1", "run 1", "disposed 1", "scope 1 disposed", "made 2 w#2", "run 2"]);
        var worker = host.Services.GetRequiredService<WorkerRegistry>().Get("W");
        worker.Restarts.ShouldBe(1);
        worker.State.ShouldBe(WorkerState.Running);
        await host.StopAsync();
        host.Services.GetRequiredService<WorkerRegistry>().Get("w").State.ShouldBe(WorkerState.Stopped);
        _story.Told.TakeLast(2).ShouldBe(["disposed 2", "scope 2 disposed"]);
    }

    [Fact]
    public async Task Worker_ConstructorThrows_IsAFailureOfTheRunNotOfTheHost()
    {
        var builder = Builder(("Workers:w:MaxRestarts", "2"));
        builder.Services.AddResilientWorker<IResilientWorker>("w", static _ => throw new InvalidOperationException("not made"));
        using var host = builder.Build();
        await host.StartAsync();

        await _logs.WaitForAsync(entry => entry.Message.Contains("given up", StringComparison.Ordinal), Patience);

        var worker = host.Services.GetRequiredService<WorkerRegistry>().Get("w");
        worker.State.ShouldBe(WorkerState.Failed);
        worker.LastFailure.ShouldBe(typeof(InvalidOperationException).FullName);
        await host.StopAsync();
    }

    [Fact]
    public async Task Worker_DisposalThrows_IsLoggedAndRunsAgain()
    {
        var builder = Builder();
        builder.Services.AddResilientWorker<CannotBeDisposed>("w");
        using var host = builder.Build();
        await host.StartAsync();

        await _story.WaitForAsync("run 2");

        _logs.Entries.ShouldContain(entry => entry.EventId.Id == 1850 && entry.Exception is NotSupportedException);
        await host.StopAsync();
    }

    [Fact]
    public async Task Worker_DisposalHangs_IsNotWaitedForLongerThanItMayTakeToStop()
    {
        var time = new ManualTimeProvider();
        var builder = Builder(("Workers:w:StopTimeout", "00:00:05"));
        builder.Services.AddSingleton<TimeProvider>(time);
        builder.Services.AddResilientWorker<HangsInDispose>("w");
        using var host = builder.Build();
        await host.StartAsync();
        await _story.WaitForAsync("disposing");

        while (!_story.Told.Contains("run 2"))
        {
            time.Advance(TimeSpan.FromSeconds(5));
            await Task.Yield();
        }

        _logs.Entries.ShouldContain(entry => entry.EventId.Id == 1851);
        HangsInDispose.Gate.Release(2);
        await host.StopAsync();
    }

    [Fact]
    public async Task Worker_HostHasAnActivity_RunsWithoutIt()
    {
        var builder = Builder();
        builder.Services.AddResilientWorker<TellsActivity>("w");
        builder.Services.AddResilientWorker<TellsActivityToo>("b");
        using var host = builder.Build();
        using (var activity = new Activity("start").Start())
        {
            await host.StartAsync();
        }

        await _story.WaitForAsync("worker none");
        await _story.WaitForAsync("service none");
        await host.StopAsync();
    }

    [Fact]
    public async Task BackgroundService_AsWorker_GetsContextAndIsStoppedByItsOwnStopAsync()
    {
        var builder = Builder();
        builder.Services.AddResilientWorker<Service>("s");
        using var host = builder.Build();
        await host.StartAsync();
        await _story.WaitForAsync("runs s");

        await host.StopAsync();

        _story.Told.ShouldBe(["start", "runs s", "stop", "ended", "disposed"]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Dependencies_DecideStartAndStop(bool concurrently)
    {
        var builder = Builder(("Workers:a:DependsOn", "b, c"), ("Workers:b:DependsOn", "c"));
        builder.Services.Configure<HostOptions>(options => (options.ServicesStartConcurrently, options.ServicesStopConcurrently) = (concurrently, concurrently));
        foreach (var name in (string[])["a", "b", "c"])
        {
            builder.Services.AddResilientWorker(name, provider => new Named(name, provider.GetRequiredService<Story>()));
        }

        using var host = builder.Build();
        await host.StartAsync();
        await _story.WaitForAsync("c runs");
        await _story.WaitForAsync("b runs");
        await _story.WaitForAsync("a runs");
        await host.StopAsync();

        _story.Told.Skip(3).ShouldBe(["a ends", "b ends", "c ends"]);
    }

    [Fact]
    public async Task Dependencies_MakeACircle_HostDoesNotStart()
    {
        var builder = Builder(("Workers:a:DependsOn", "b"), ("Workers:b:DependsOn", "a"));
        foreach (var name in (string[])["a", "b"])
        {
            builder.Services.AddResilientWorker(name, provider => new Named(name, provider.GetRequiredService<Story>()));
        }

        using var host = builder.Build();

        (await Should.ThrowAsync<OptionsValidationException>(() => host.StartAsync())).Message.ShouldContain("a → b → a");
        _story.Told.ShouldBeEmpty();
    }

    [Fact]
    public async Task AddResilientWorker_WithoutLayers_HostDoesNotStartAndSaysWhatToCall()
    {
        var builder = Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Services.AddSingleton(_story).AddResilientWorker("w", _ => new Named("w", _story));
        using var host = builder.Build();

        (await Should.ThrowAsync<InvalidOperationException>(() => host.StartAsync())).Message.ShouldContain("AddResilienceLayers()");
    }

    [Fact]
    public void AddResilientWorker_WorkerOfThatNameWasTakenOut_IsAdded()
    {
        var services = new ServiceCollection();
        services.AddResilientWorker<FailsOnce>("w");
        services.Remove(services.Single(static service => service.ImplementationInstance is WorkerRegistration));
        services.AddResilientWorker<FailsOnce>("W");

        services.Count(static service => service.ImplementationInstance is WorkerRegistration { Name: "W" }).ShouldBe(1);
        Should.Throw<ArgumentException>(() => services.AddResilientWorker<FailsOnce>("w"));
    }

    [Fact]
    public void AddResilientWorker_CannotBe_SaysWhy()
    {
        var services = new ServiceCollection().AddResilientWorker<FailsOnce>("w");

        Should.Throw<ArgumentException>(() => services.AddResilientWorker<FailsOnce>("W")).Message.ShouldContain("'W' already");
        Should.Throw<ArgumentException>(() => services.AddResilientWorker<FailsOnce>("default")).Message.ShouldContain("another name");
        Should.Throw<ArgumentException>(() => services.AddResilientWorker<FailsOnce>(" "));
        Should.Throw<ArgumentException>(() => services.AddResilientWorker<Story>("s")).Message.ShouldContain("must be an IResilientWorker or a BackgroundService");
        Should.Throw<ArgumentException>(() => services.AddResilientWorker<PeriodicWorker>("p")).Message.ShouldContain("abstract");
        Should.Throw<KeyNotFoundException>(() => Builder().Build().Services.GetRequiredService<WorkerRegistry>().Get("x"));
    }

    [Fact]
    public async Task HostedServices_HaveReadableNames()
    {
        var builder = Builder();
        builder.Services.AddHostedService<Generic<Story>>();
        builder.Services.AddSingleton<IHostedService>(new Generic<Story>());
        builder.Services.AddHostedService<Lazy>();
        builder.Services.AddResilientWorker("w", _ => new Named("w", _story));
        using var host = builder.Build();
        await host.StartAsync();

        host.Services.GetRequiredService<WorkerRegistry>().Names.ShouldBe(["Generic<Story>", "Generic<Story>#2", "w"]);
        _logs.Entries.ShouldContain(entry => entry.EventId.Id == 1853 && entry.Message.Contains("Lazy", StringComparison.Ordinal));
        await host.StopAsync();
    }

    [Fact]
    public async Task HostedService_FailsWhileTheHostStops_IsToldOnceAndNotStartedAgain()
    {
        var builder = Builder();
        builder.Services.AddHostedService<FailsAtStop>();
        using var host = builder.Build();
        await host.StartAsync();
        await _story.WaitForAsync("begun");

        host.Services.GetRequiredService<IHostApplicationLifetime>().StopApplication();
        await _story.WaitForAsync("failing");
        await host.StopAsync();

        _story.Told.Count(line => line == "begun").ShouldBe(1);
        _logs.Entries.Count(entry => entry.Exception is InvalidOperationException { Message: "at stop" }).ShouldBe(1);
        host.Services.GetRequiredService<WorkerRegistry>().Get(nameof(FailsAtStop)).State.ShouldBe(WorkerState.Stopped);
    }

    [Fact]
    public async Task HostedService_FailsAndThenTheStartDoes_HostsOwnEntryIsNotLost()
    {
        var builder = Builder();
        builder.Services.AddHostedService<FailsAtOnce>();
        builder.Services.AddHostedService<StartFails>();
        using (var host = builder.Build())
        {
            await Should.ThrowAsync<NotSupportedException>(() => host.StartAsync());
        }

        // The host writes it when it comes to the ended task, which may be after the start has failed.
        await _logs.WaitForAsync(IsOfTheService, Patience);
        _logs.Entries.Count(IsOfTheService).ShouldBe(1);

        static bool IsOfTheService(RecordedLog entry) => entry.Exception is InvalidOperationException { Message: "at once" };
    }

    [Fact]
    public async Task Host_OutOfTimeBeforeTheWorkers_ItemsInMemoryAreDeadLetters()
    {
        var builder = Builder(("Workers:w:StopTimeout", "00:00:30"));
        var channel = Channel.CreateUnbounded<int>();
        var letters = new Letters();
        var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        builder.Services.AddSingleton<IDeadLetterSink>(letters);
        builder.Services.Configure<HostOptions>(static options => options.ShutdownTimeout = TimeSpan.FromMilliseconds(100));
        builder.Services.AddResilientWorker<IResilientWorker>("w", _ => new Hangs(channel, begun));
        for (var item = 0; item < 10; item++)
        {
            channel.Writer.TryWrite(item).ShouldBeTrue();
        }

        using var host = builder.Build();
        await host.StartAsync();
        await begun.Task;

        await Should.NotThrowAsync(() => host.StopAsync().ContinueWith(static _ => { }, TaskScheduler.Default));

        letters.Items.Order(StringComparer.Ordinal).ShouldBe(["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]);
    }

    [Fact]
    public async Task PauseAt_OfABackgroundServiceOfOurs_StopsItAndStartsItAgain()
    {
        var builder = Builder(("Workers:w:PauseAt", "Essential"));
        builder.Services.AddResilientWorker<WaitsForItsStop>("w");
        using var host = builder.Build();
        await host.StartAsync();
        var registry = host.Services.GetRequiredService<WorkerRegistry>();
        var changes = Channel.CreateUnbounded<WorkerTransition>();
        registry.Transitioned += change => changes.Writer.TryWrite(change);
        var level = host.Services.GetRequiredService<IServiceLevel>();

        level.Override(ServiceLevel.Essential);
        (await UntilAsync(WorkerState.Paused)).Cause.ShouldBe(WorkerTransitionCause.ServiceLevel);
        level.ClearOverride();
        (await UntilAsync(WorkerState.Running)).Run.ShouldBe(2);

        await host.StopAsync();

        async Task<WorkerTransition> UntilAsync(WorkerState state)
        {
            using var patience = new CancellationTokenSource(Patience);
            await foreach (var change in changes.Reader.ReadAllAsync(patience.Token))
            {
                if (change.To == state)
                {
                    return change;
                }
            }

            throw new InvalidOperationException("The channel is never completed.");
        }
    }

    [Theory]
    [InlineData(BackgroundServiceExceptionBehavior.Ignore)]
    [InlineData(BackgroundServiceExceptionBehavior.StopHost)]
    public async Task Transient_HostedServiceThatFails_IsToldByTheHostAndHasItsOutcome(BackgroundServiceExceptionBehavior behavior)
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var builder = Builder();
        builder.Services.Configure<HostOptions>(options => options.BackgroundServiceExceptionBehavior = behavior);
        builder.Services.AddTransient<IHostedService>(_ => new FailsAtTheGate(gate.Task));
        using var host = builder.Build();
        var stopping = host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;
        await host.StartAsync();
        var exitCode = Environment.ExitCode;

        gate.SetResult();
        await _logs.WaitForAsync(entry => entry.EventId.Name == "BackgroundServiceFaulted" && entry.Exception!.Message == "at the gate", Patience);

        try
        {
            if (behavior == BackgroundServiceExceptionBehavior.StopHost)
            {
                await Should.ThrowAsync<OperationCanceledException>(() => new TaskCompletionSource().Task.WaitAsync(stopping).WaitAsync(Patience));
            }
        }
        finally
        {
            // The test's own process must not end with it.
            Environment.ExitCode = exitCode;
        }

        _logs.Entries.Count(entry => entry.Message.StartsWith("Background service FailsAtTheGate is not supervised", StringComparison.Ordinal)).ShouldBe(1);
        stopping.IsCancellationRequested.ShouldBe(behavior == BackgroundServiceExceptionBehavior.StopHost);
        await host.StopAsync();
    }

    private sealed class FailsAtTheGate(Task gate) : BackgroundService
    {
        protected override async Task ExecuteAsync(CancellationToken stoppingToken)
        {
            await gate.WaitAsync(stoppingToken);
            throw new InvalidOperationException("at the gate");
        }
    }

    [Fact]
    public async Task Options_ThatAHostedServiceCannotHave_AreErrorsAtStart()
    {
        var builder = Builder(
            ("CircuitBreakers:db:FailureRatio", "0.5"),
            ("Workers:Default:CircuitBreaker", "db"),
            ("Workers:WaitsForItsStop:HeartbeatTimeout", "00:00:10"),
            ("Workers:WaitsForItsStop:DependsOn", "w"));
        builder.Services.AddHostedService<WaitsForItsStop>();
        using var host = builder.Build();

        var errors = (await Should.ThrowAsync<OptionsValidationException>(() => host.StartAsync())).Failures;

        errors.ShouldBe([
            "Resilience:Workers:WaitsForItsStop:HeartbeatTimeout can only be had by a worker that AddResilientWorker registered, and 'WaitsForItsStop' is a hosted service of the application's. Register it with AddResilientWorker, or take the key out.",
            "Resilience:Workers:WaitsForItsStop:DependsOn can only be had by a worker that AddResilientWorker registered, and 'WaitsForItsStop' is a hosted service of the application's. Register it with AddResilientWorker, or take the key out.",
        ]);
    }

    [Fact]
    public async Task Names_OfNoWorker_AreWarnedOfButNotBases()
    {
        var builder = Builder(("Workers:odrers:MaxRestarts", "1"), ("Workers:base:MaxRestarts", "1"), ("Workers:orders:Inherit", "base"));
        builder.Services.AddResilientWorker<WaitsForItsStop>("orders");
        using var host = builder.Build();
        await host.StartAsync();

        var warning = await _logs.WaitForAsync(entry => entry.Message.Contains("odrers", StringComparison.Ordinal), Patience);

        warning.Message.ShouldBe("Resilience:Workers names workers that there are not: odrers. What it says of them is in force for nobody. There are: orders.");
        warning.Level.ShouldBe(LogLevel.Warning);
        await host.StopAsync();
    }

    private sealed class WaitsForItsStop : BackgroundService
    {
        protected override Task ExecuteAsync(CancellationToken stoppingToken) => new TaskCompletionSource().Task.WaitAsync(stoppingToken);
    }

    private sealed class Hangs(Channel<int> channel, TaskCompletionSource begun) : IResilientWorker
    {
        public Task RunAsync(WorkerContext context, CancellationToken stoppingToken) => context.ProcessAsync(
            channel,
            (_, _) =>
            {
                begun.TrySetResult();
                return new TaskCompletionSource().Task;
            },
            new() { MaxConcurrency = 2 },
            stoppingToken);
    }

    private sealed class Letters : IDeadLetterSink
    {
        public ConcurrentQueue<string> Items { get; } = new();

        public ValueTask WriteAsync(DeadLetter letter, CancellationToken cancellationToken = default)
        {
            Items.Enqueue(letter.Item);
            return ValueTask.CompletedTask;
        }
    }

    internal sealed class Story
    {
        private readonly List<string> _told = [];
        private readonly List<(string Line, TaskCompletionSource Told)> _waiting = [];

        public IReadOnlyList<string> Told
        {
            get
            {
                lock (_told)
                {
                    return [.. _told];
                }
            }
        }

        public int Instances;

        public void Tell(string line)
        {
            lock (_told)
            {
                _told.Add(line);
                _waiting.FindAll(wait => wait.Line == line).ForEach(wait => wait.Told.TrySetResult());
            }
        }

        public Task WaitForAsync(string line)
        {
            var told = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            lock (_told)
            {
                if (_told.Contains(line))
                {
                    return Task.CompletedTask;
                }

                _waiting.Add((line, told));
            }

            return told.Task.WaitAsync(Patience);
        }
    }

    private static async Task UntilStoppedAsync(CancellationToken stoppingToken)
    {
        var stopped = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using (stoppingToken.Register(() => stopped.TrySetResult()))
        {
            await stopped.Task;
        }
    }

    private sealed class Scoped(Story story, WorkerContext context) : IDisposable
    {
        public void Dispose() => story.Tell($"scope {context.Run} disposed");
    }

    private sealed class FailsOnce : IResilientWorker, IAsyncDisposable
    {
        private readonly Story _story;
        private readonly int _instance;

        public FailsOnce(Story story, WorkerContext context, Scoped scoped)
        {
            _ = scoped;
            (_story, _instance) = (story, Interlocked.Increment(ref story.Instances));
            story.Tell($"made {_instance} {context.Name}#{context.Run}");
        }

        public async Task RunAsync(WorkerContext context, CancellationToken stoppingToken)
        {
            _story.Tell($"run {_instance}");
            if (_instance == 1)
            {
                throw new InvalidOperationException("the first");
            }

            await UntilStoppedAsync(stoppingToken);
        }

        public ValueTask DisposeAsync()
        {
            _story.Tell($"disposed {_instance}");
            return default;
        }
    }

    private sealed class CannotBeDisposed(Story story) : IResilientWorker, IDisposable
    {
        public Task RunAsync(WorkerContext context, CancellationToken stoppingToken)
        {
            story.Tell($"run {context.Run}");
            return context.Run == 1 ? throw new InvalidOperationException("the first") : UntilStoppedAsync(stoppingToken);
        }

        public void Dispose() => throw new NotSupportedException("no");
    }

    private sealed class HangsInDispose(Story story) : IResilientWorker, IDisposable
    {
        public static readonly SemaphoreSlim Gate = new(0);

        public Task RunAsync(WorkerContext context, CancellationToken stoppingToken)
        {
            story.Tell($"run {context.Run}");
            return context.Run == 1 ? throw new InvalidOperationException("the first") : UntilStoppedAsync(stoppingToken);
        }

        public void Dispose()
        {
            story.Tell("disposing");
            Gate.Wait();
        }
    }

    private sealed class TellsActivity(Story story) : IResilientWorker
    {
        public Task RunAsync(WorkerContext context, CancellationToken stoppingToken)
        {
            story.Tell($"worker {Activity.Current?.OperationName ?? "none"}");
            return UntilStoppedAsync(stoppingToken);
        }
    }

    private sealed class TellsActivityToo(Story story) : BackgroundService
    {
        protected override Task ExecuteAsync(CancellationToken stoppingToken)
        {
            story.Tell($"service {Activity.Current?.OperationName ?? "none"}");
            return UntilStoppedAsync(stoppingToken);
        }
    }

    private sealed class Service(Story story, WorkerContext context) : BackgroundService
    {
        public override Task StartAsync(CancellationToken cancellationToken)
        {
            story.Tell("start");
            return base.StartAsync(cancellationToken);
        }

        public override Task StopAsync(CancellationToken cancellationToken)
        {
            story.Tell("stop");
            return base.StopAsync(cancellationToken);
        }

        public override void Dispose()
        {
            base.Dispose();
            story.Tell("disposed");
        }

        protected override async Task ExecuteAsync(CancellationToken stoppingToken)
        {
            story.Tell($"runs {context.Name}");
            await UntilStoppedAsync(stoppingToken);
            story.Tell("ended");
        }
    }

    private sealed class Named(string name, Story story) : IResilientWorker
    {
        public async Task RunAsync(WorkerContext context, CancellationToken stoppingToken)
        {
            story.Tell($"{name} runs");
            await UntilStoppedAsync(stoppingToken);
            story.Tell($"{name} ends");
        }
    }

    private sealed class Generic<T> : BackgroundService
    {
        protected override Task ExecuteAsync(CancellationToken stoppingToken) => UntilStoppedAsync(stoppingToken);
    }

    private sealed class Lazy : BackgroundService
    {
        public override Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        protected override Task ExecuteAsync(CancellationToken stoppingToken) => UntilStoppedAsync(stoppingToken);
    }

    private sealed class FailsAtStop(Story story, IHostApplicationLifetime lifetime) : BackgroundService
    {
        protected override async Task ExecuteAsync(CancellationToken stoppingToken)
        {
            story.Tell("begun");
            await UntilStoppedAsync(lifetime.ApplicationStopping);
            story.Tell("failing");
            throw new InvalidOperationException("at stop");
        }
    }

    private sealed class FailsAtOnce : BackgroundService
    {
        protected override Task ExecuteAsync(CancellationToken stoppingToken) => throw new InvalidOperationException("at once");
    }

    private sealed class StartFails(IServiceProvider provider) : IHostedService
    {
        public async Task StartAsync(CancellationToken cancellationToken)
        {
            await provider.GetServices<IHostedService>().OfType<FailsAtOnce>().Single().ExecuteTask!.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            throw new NotSupportedException("start");
        }

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
