using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using ResilientHost.Hosting;
using ResilientHost.Shutdown;
using ResilientHost.Testing;

namespace ResilientHost.Tests.Shutdown;

public sealed class ShutdownSequenceTests : IDisposable
{
    private readonly ManualTimeProvider _time = new();
    private readonly LogRecorder _logs = new();
    private readonly LoggerFactory _loggers = new();
    private readonly Lifetime _lifetime = new();

    public ShutdownSequenceTests() => _loggers.AddProvider(_logs);

    public void Dispose()
    {
        _loggers.Dispose();
        _logs.Dispose();
    }

    private ShutdownSequence Sequence(ShutdownOptions options, ShutdownLimits? limits = null, TimeSpan? given = null) => new(
        () => new ShutdownPolicy(options),
        () => limits ?? new ShutdownLimits(TimeSpan.Zero, "(none)", TimeSpan.Zero),
        new MonotonicClock(_time),
        _loggers.CreateLogger<ShutdownSequence>(),
        Options.Create(new HostOptions { ShutdownTimeout = given ?? TimeSpan.FromSeconds(30) }),
        _lifetime);

    [Fact]
    public async Task Stopping_WithADelay_WaitsForItWhileReadinessIsOff()
    {
        var sequence = Sequence(new() { ReadinessDelay = TimeSpan.FromSeconds(5) });
        sequence.IsDraining.ShouldBeFalse();

        var stopping = sequence.StoppingAsync(CancellationToken.None);

        sequence.IsDraining.ShouldBeTrue();
        _time.Advance(TimeSpan.FromSeconds(4.9));
        stopping.IsCompleted.ShouldBeFalse();
        _time.Advance(TimeSpan.FromSeconds(0.1));
        await stopping;
        _logs.Entries.ShouldHaveSingleItem().Message.ShouldBe("The host is stopping. Readiness is off; requests are served for 5 s more.");
    }

    [Fact]
    public async Task Stopping_HostIsOutOfTime_EndsTheDelay()
    {
        using var outOfTime = new CancellationTokenSource();
        var stopping = Sequence(new() { ReadinessDelay = TimeSpan.FromMinutes(1) }).StoppingAsync(outOfTime.Token);

        await outOfTime.CancelAsync();

        await stopping;
    }

    [Fact]
    public async Task Stopping_KillSwitchOff_NeitherDelaysNorTurnsReadiness()
    {
        var sequence = Sequence(new() { Enabled = false, ReadinessDelay = TimeSpan.FromMinutes(1) });

        await sequence.StoppingAsync(CancellationToken.None);

        sequence.IsDraining.ShouldBeFalse();
    }

    [Fact]
    public async Task IsDraining_WhileACallbackOfSomebodyElseBlocks()
    {
        var sequence = Sequence(new());
        var (blocked, release) = (new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), new TaskCompletionSource());

        // The latest to come is the first to be called.
        using var callback = _lifetime.ApplicationStopping.Register(() =>
        {
            blocked.SetResult();
            release.Task.Wait(TimeSpan.FromSeconds(10));
        });
        var stopping = Task.Run(_lifetime.StopApplication);
        await blocked.Task.WaitAsync(TimeSpan.FromSeconds(10));

        sequence.IsDraining.ShouldBeTrue();
        release.SetResult();
        await stopping;
    }

    [Fact]
    public void IsDraining_FromTheMomentTheHostIsAsked()
    {
        var sequence = Sequence(new());

        _lifetime.StopApplication();

        sequence.IsDraining.ShouldBeTrue();
    }

    [Theory]
    [InlineData(30, false)]
    [InlineData(29.9, true)]
    public async Task Started_LimitsThatTheHostGivesNoTimeFor_AreNamed(double given, bool isNamed)
    {
        var sequence = Sequence(
            new() { ReadinessDelay = TimeSpan.FromSeconds(5) },
            new ShutdownLimits(TimeSpan.FromSeconds(15), "'orders'", TimeSpan.FromSeconds(10)),
            TimeSpan.FromSeconds(given));

        await sequence.StartedAsync(CancellationToken.None);

        _logs.Entries.Select(entry => entry.Message).ShouldBe(isNamed
            ? ["Stopping may take 30 s (Shutdown:ReadinessDelay 5 s, StopTimeout 15 s of worker 'orders', IsolatedTasks:DrainTimeout 10 s), but the host gives 29.9 s to all of it. Raise HostOptions.ShutdownTimeout, and what the orchestrator gives, or lower the limits."]
            : []);
    }

    private sealed class Lifetime : IHostApplicationLifetime
    {
        private readonly CancellationTokenSource _stopping = new();

        public CancellationToken ApplicationStarted => CancellationToken.None;

        public CancellationToken ApplicationStopping => _stopping.Token;

        public CancellationToken ApplicationStopped => CancellationToken.None;

        public void StopApplication() => _stopping.Cancel();
    }
}
