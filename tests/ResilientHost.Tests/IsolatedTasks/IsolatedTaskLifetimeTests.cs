using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using ResilientHost.IsolatedTasks;
using ResilientHost.Recovery;

namespace ResilientHost.Tests.IsolatedTasks;

public sealed class IsolatedTaskLifetimeTests
{
    private readonly LogRecorder _logs = new();
    private Action? _asked;
    private IsolatedTaskPolicy _policy = new(new IsolatedTaskOptions());

    [Fact]
    public async Task Stop_ServiceStartsATaskWhileItStops_TaskIsWaitedFor()
    {
        var ended = false;
        using var host = Build(services => services.AddHostedService(provider => new StopAction(() => _ = provider.GetRequiredService<IIsolatedTasks>().Run("last", async _ =>
        {
            await Task.Yield();
            ended = true;
        }))));
        await host.StartAsync();
        await host.StopAsync();

        ended.ShouldBeTrue();
        Should.Throw<RefusedException>(() => host.Services.GetRequiredService<IIsolatedTasks>().Run("late", static _ => Task.CompletedTask))
            .Refusal.Reason.ShouldBe(RefusalReason.Shed);
    }

    [Fact]
    public async Task Stop_HostsTimeIsOver_NamesWhatIsLeft()
    {
        var gate = new TaskCompletionSource();
        using var host = Build(services => services.Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.FromMilliseconds(50)));
        await host.StartAsync();
        var cancelled = new TaskCompletionSource();
        var started = new TaskCompletionSource();
        _ = host.Services.GetRequiredService<IIsolatedTasks>().Run("mail", async token =>
        {
            await using var registration = token.Register(cancelled.SetResult);
            started.SetResult();
            await gate.Task;
        });
        await started.Task;
        await host.StopAsync();

        _logs.Entries.Count(entry => entry.EventId.Id == 2410).ShouldBe(1);
        await cancelled.Task.WaitAsync(TasksUnderTest.Patience);
        gate.SetResult();
    }

    [Fact]
    public async Task Start_TasksPileUp_IsSeenWithoutBeingAsked()
    {
        _policy = new(new IsolatedTaskOptions { LeakWindow = TimeSpan.FromSeconds(1), LeakThreshold = 2 });
        var time = new ManualTimeProvider();
        var gate = new TaskCompletionSource();
        using var looks = new SemaphoreSlim(0);
        _asked = () =>
        {
            if (Thread.CurrentThread.Name == "ResilientHost isolated tasks")
            {
                looks.Release();
            }
        };
        using var host = Build(services => services.AddSingleton<TimeProvider>(time));
        await host.StartAsync();
        var tasks = host.Services.GetRequiredService<IIsolatedTasks>();
        while (_logs.Entries.All(entry => entry.EventId.Id != 2406))
        {
            (await looks.WaitAsync(TasksUnderTest.Patience)).ShouldBeTrue();
            _ = tasks.Run("mail", _ => gate.Task);
            time.Advance(TimeSpan.FromSeconds(0.1));
        }

        gate.SetResult();
        await host.StopAsync();
    }

    [Fact]
    public void AddIsolatedTasks_Twice_IsOnce()
    {
        var services = new ServiceCollection().AddIsolatedTasks().AddIsolatedTasks();

        services.Count(service => service.ServiceType == typeof(IIsolatedTasks)).ShouldBe(1);
        services.Count(service => service.ImplementationType == typeof(IsolatedTaskLifetime)).ShouldBe(1);
    }

    private IHost Build(Action<IServiceCollection> more)
    {
        var builder = Host.CreateEmptyApplicationBuilder(new());
        var recovery = new RecoveryPolicy(new RecoveryOptions(), isDevelopment: false);
        builder.Services
            .AddSingleton<Func<IsolatedTaskPolicy>>(() =>
            {
                _asked?.Invoke();
                return _policy;
            })
            .AddSingleton<Func<RecoveryPolicy>>(() => recovery)
            .AddIsolatedTasks()
            .AddLogging(logging => logging.ClearProviders().AddProvider(_logs));
        more(builder.Services);
        return builder.Build();
    }

    private sealed class StopAction(Action stop) : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken)
        {
            stop();
            return Task.CompletedTask;
        }
    }
}
