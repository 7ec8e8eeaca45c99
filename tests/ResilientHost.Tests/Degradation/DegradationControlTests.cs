using ResilientHost.Degradation;

namespace ResilientHost.Tests.Degradation;

public sealed partial class DegradationControlTests : IDisposable
{
    private readonly DegradationUnderTest _host = new();

    private DegradationControl Control => _host.Control;

    public DegradationControlTests() => _host.Sampler.Find();

    public void Dispose() => _host.Dispose();

    [Fact]
    public void Current_UnderPressure_ClimbsToSurvivalAndComesBack()
    {
        _host.Run(cpu: 1, seconds: 10);
        Control.Current.ShouldBe(ServiceLevel.Survival);
        Control.Shedding.Severity.ShouldBe(3);

        _host.Run(cpu: 0.1, seconds: 31);
        Control.Current.ShouldBe(ServiceLevel.Normal);
        Control.IsShedding.ShouldBeFalse();
    }

    [Fact]
    public void Current_PressureWhileStarting_StaysNormalUntilTheGraceIsOver()
    {
        using var host = new DegradationUnderTest(options => options.StartupGrace = TimeSpan.FromSeconds(10));
        host.Sampler.Find();
        host.Run(cpu: 1, seconds: 11.5);
        host.Control.Current.ShouldBe(ServiceLevel.Normal);

        host.Run(cpu: 1, seconds: 1);
        host.Control.Current.ShouldBe(ServiceLevel.Reduced, "the dwell counts from the end of the grace");
    }

    [Fact]
    public void Current_NoiseShorterThanTheDwell_StaysNormal()
    {
        for (var i = 0; i < 20; i++)
        {
            _host.Run(cpu: 1, seconds: 1.5);
            _host.Run(cpu: 0.5, seconds: 0.5);
        }

        Control.Current.ShouldBe(ServiceLevel.Normal);
    }

    [Fact]
    public async Task Changed_EachChange_IsToldOnceInOrderWithTheValuesThatCausedIt()
    {
        var told = new List<ServiceLevelChange>();
        var done = new TaskCompletionSource();
        Control.Changed += change =>
        {
            told.Add(change);
            if (change.To == ServiceLevel.Normal)
            {
                done.SetResult();
            }
        };
        _host.Run(cpu: 0.95, seconds: 10);
        _host.Run(cpu: 0.1, seconds: 40);
        await done.Task.WaitAsync(DegradationUnderTest.Patience);

        told.Select(change => (change.From, change.To, change.Cause, change.Signal)).ShouldBe(
        [
            (ServiceLevel.Normal, ServiceLevel.Reduced, ServiceLevelCause.Overload, "cpu"),
            (ServiceLevel.Reduced, ServiceLevel.Essential, ServiceLevelCause.Overload, "cpu"),
            (ServiceLevel.Essential, ServiceLevel.Survival, ServiceLevelCause.Overload, "cpu"),
            (ServiceLevel.Survival, ServiceLevel.Essential, ServiceLevelCause.Recovery, "cpu"),
            (ServiceLevel.Essential, ServiceLevel.Reduced, ServiceLevelCause.Recovery, "cpu"),
            (ServiceLevel.Reduced, ServiceLevel.Normal, ServiceLevelCause.Recovery, "cpu"),
        ]);
        told[0].Signals.ShouldBe([new SignalReading("cpu", 0.95, 0.90, 0.75, IsEnabled: true)]);
        told[0].At.ShouldBe(new DateTimeOffset(2030, 1, 1, 0, 0, 2, TimeSpan.Zero));
        told.ShouldAllBe(change => change.By == null);
    }

    [Fact]
    public async Task Changed_ListenerThatBlocksOrThrows_HoldsUpNobodyElse()
    {
        using var gate = new ManualResetEventSlim();
        var done = new TaskCompletionSource();
        Control.Changed += _ => gate.Wait();
        Control.Changed += _ => throw new InvalidOperationException("mine alone");
        Control.Changed += change => done.TrySetResult();

        Control.Override(ServiceLevel.Essential);
        await done.Task.WaitAsync(DegradationUnderTest.Patience);
        gate.Set();
        var entry = await _host.Logs.WaitForAsync(log => log.EventId.Name == "ServiceLevelListenerFailed", DegradationUnderTest.Patience);
        entry.Exception.ShouldBeOfType<InvalidOperationException>();
    }

    [Fact]
    public async Task Changed_RemovedListener_HearsNothingMore()
    {
        var heard = 0;
        var barrier = new TaskCompletionSource();
        Action<ServiceLevelChange> listener = _ => Interlocked.Increment(ref heard);
        Control.Changed += listener;
        Control.Changed -= listener;
        Control.Changed += _ => barrier.TrySetResult();
        Control.Override(ServiceLevel.Reduced);
        await barrier.Task.WaitAsync(DegradationUnderTest.Patience);

        heard.ShouldBe(0);
    }

    [Fact]
    public void Snapshot_UnderPressure_BelongsTogether()
    {
        _host.Run(cpu: 1, seconds: 3);
        var snapshot = Control.Snapshot();

        snapshot.Level.ShouldBe(ServiceLevel.Reduced);
        snapshot.SignalledLevel.ShouldBe(ServiceLevel.Reduced);
        snapshot.Severity.ShouldBe(0.75, 1e-9);
        snapshot.Since.ShouldBe(new DateTimeOffset(2030, 1, 1, 0, 0, 2, TimeSpan.Zero));
        snapshot.IsOverridden.ShouldBeFalse();
        snapshot.OverriddenUntil.ShouldBeNull();
        snapshot.Mode.ShouldBe(DegradationMode.Enforce);
        snapshot.Signals.ShouldBe([new SignalReading("cpu", 1, 0.90, 0.75, IsEnabled: true)]);
    }

    [Theory]
    [InlineData(null, false, DegradationMode.Shadow)]
    [InlineData(null, true, DegradationMode.Enforce)]
    [InlineData(DegradationMode.Enforce, false, DegradationMode.Enforce)]
    [InlineData(DegradationMode.Shadow, true, DegradationMode.Shadow)]
    public void Snapshot_Mode_FollowsConfigurationThenEndpoints(DegradationMode? configured, bool sayCriticality, DegradationMode expected)
    {
        using var host = new DegradationUnderTest(options => options.Mode = configured, sayCriticality);
        host.Sampler.Find();
        host.Run(cpu: 1, seconds: 5);

        host.Control.Snapshot().Mode.ShouldBe(expected);
        host.Control.Current.ShouldBe(ServiceLevel.Essential);
        host.Control.Shedding.IsEnforced.ShouldBe(expected == DegradationMode.Enforce);
    }

    [Fact]
    public async Task WaitUntilAtMostAsync_LevelThatFalls_WakesThoseItAllows()
    {
        Control.Override(ServiceLevel.Survival);
        var modest = Control.WaitUntilAtMostAsync(ServiceLevel.Essential).AsTask();
        var picky = Control.WaitUntilAtMostAsync(ServiceLevel.Normal).AsTask();
        Control.WaitUntilAtMostAsync(ServiceLevel.Survival).AsTask().IsCompletedSuccessfully.ShouldBeTrue();
        modest.IsCompleted.ShouldBeFalse();

        Control.Override(ServiceLevel.Reduced);
        await modest.WaitAsync(DegradationUnderTest.Patience);
        picky.IsCompleted.ShouldBeFalse();
        Control.ClearOverride();
        await picky.WaitAsync(DegradationUnderTest.Patience);
    }

    [Fact]
    public async Task WaitUntilAtMostAsync_CancelledWaiter_LeavesTheOthers()
    {
        Control.Override(ServiceLevel.Survival);
        using var gaveUp = new CancellationTokenSource();
        var first = Control.WaitUntilAtMostAsync(ServiceLevel.Normal, gaveUp.Token).AsTask();
        var second = Control.WaitUntilAtMostAsync(ServiceLevel.Normal).AsTask();
        await gaveUp.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(first);
        second.IsCompleted.ShouldBeFalse();
        Control.ClearOverride();
        await second.WaitAsync(DegradationUnderTest.Patience);
    }

    [Fact]
    public void Observe_WhileSeverityMoves_AllocatesNothing()
    {
        // The level stays: climbing through one level takes ten minutes.
        using var host = new DegradationUnderTest(options => (options.RampUp, options.Smoothing) = (TimeSpan.FromMinutes(10), TimeSpan.FromSeconds(2)));
        host.Sampler.Find();
        host.Run(cpu: 1, seconds: 30);
        var before = host.Control.Shedding.Severity;
        var raw = new[] { 0.97 };
        var now = host.Time.GetTimestamp();

        AllocatedBytes.Of(() =>
        {
            for (var i = 0; i < 500; i++)
            {
                host.Control.Observe(now += TimeSpan.TicksPerSecond / 2, raw);
            }
        }).ShouldBe(0);
        host.Control.Shedding.Severity.ShouldBeGreaterThan(before);
    }
}
