using ResilientHost.Degradation;

namespace ResilientHost.Tests.Degradation;

public sealed partial class DegradationControlTests
{
    [Fact]
    public void Override_ToAnyLevel_IsAtOnceAndExact()
    {
        foreach (var level in Enum.GetValues<ServiceLevel>().Reverse())
        {
            Control.Override(level);
            Control.Current.ShouldBe(level);
            Control.Shedding.Severity.ShouldBe((double)level);
        }
    }

    [Fact]
    public void Override_InShadow_IsEnforcedAllTheSame()
    {
        using var host = new DegradationUnderTest(options => options.Mode = DegradationMode.Shadow);
        host.Control.Override(ServiceLevel.Reduced);
        host.Control.Shedding.IsEnforced.ShouldBeTrue();
        host.Control.Snapshot().Mode.ShouldBe(DegradationMode.Enforce);

        host.Control.ClearOverride();
        host.Control.Snapshot().Mode.ShouldBe(DegradationMode.Shadow);
    }

    [Fact]
    public void Override_ThatExpires_ReadsExactlyAndLeavesNoTimer()
    {
        Control.Override(ServiceLevel.Survival, TimeSpan.FromMinutes(5), "ops");
        Control.Snapshot().OverriddenUntil.ShouldBe(new DateTimeOffset(2030, 1, 1, 0, 5, 0, TimeSpan.Zero));
        _host.Time.Advance(TimeSpan.FromMinutes(5) - TimeSpan.FromTicks(1));
        Control.Current.ShouldBe(ServiceLevel.Survival);
        _host.Time.Advance(TimeSpan.FromTicks(1));

        Control.Current.ShouldBe(ServiceLevel.Normal);
        Control.Snapshot().IsOverridden.ShouldBeFalse();
        _host.Time.ArmedTimers.ShouldBe(0);
    }

    [Fact]
    public async Task Override_ThatExpiresWithNobodyReading_IsToldByItsTimer()
    {
        var told = new TaskCompletionSource<ServiceLevelChange>();
        Control.Override(ServiceLevel.Normal, TimeSpan.FromDays(100), "ops");
        _host.Run(cpu: 1, seconds: 10);
        Control.IsShedding.ShouldBeFalse();
        Control.Changed += change => told.TrySetResult(change);
        _host.Time.Advance(TimeSpan.FromDays(100));

        Control.IsShedding.ShouldBeTrue();
        var change = await told.Task.WaitAsync(DegradationUnderTest.Patience);
        (change.From, change.To, change.Cause, change.Signal, change.By).ShouldBe(
            (ServiceLevel.Normal, ServiceLevel.Survival, ServiceLevelCause.OverrideEnded, null, null));
    }

    [Fact]
    public void Override_WhenReplaced_GoesByTheLastAlone()
    {
        Control.Override(ServiceLevel.Survival, TimeSpan.FromMinutes(1));
        Control.Override(ServiceLevel.Reduced);
        _host.Time.Advance(TimeSpan.FromHours(1));
        Control.Current.ShouldBe(ServiceLevel.Reduced);

        Control.Override(ServiceLevel.Essential, TimeSpan.FromMinutes(1));
        _host.Time.Advance(TimeSpan.FromMinutes(1));
        Control.Current.ShouldBe(ServiceLevel.Normal);
    }

    [Fact]
    public void Override_WhileSignalsAreWatched_EndsAtWhatTheyAskForByThen()
    {
        Control.Override(ServiceLevel.Normal);
        _host.Run(cpu: 1, seconds: 10);
        Control.Current.ShouldBe(ServiceLevel.Normal);
        Control.Snapshot().SignalledLevel.ShouldBe(ServiceLevel.Survival);
        Control.Snapshot().Severity.ShouldBe(3);

        Control.ClearOverride("ops");
        Control.Current.ShouldBe(ServiceLevel.Survival);
    }

    [Fact]
    public async Task Override_SameLevelAgain_RaisesNoChange()
    {
        var told = new List<ServiceLevelChange>();
        var done = new TaskCompletionSource();
        Control.Changed += change =>
        {
            told.Add(change);
            if (change.To == ServiceLevel.Survival)
            {
                done.SetResult();
            }
        };
        Control.Override(ServiceLevel.Reduced, by: "first");
        Control.Override(ServiceLevel.Reduced, by: "second");
        Control.Override(ServiceLevel.Survival, by: "third");
        await done.Task.WaitAsync(DegradationUnderTest.Patience);

        told.Select(change => (change.To, change.Cause, change.By)).ShouldBe(
            [(ServiceLevel.Reduced, ServiceLevelCause.Override, "first"), (ServiceLevel.Survival, ServiceLevelCause.Override, "third")]);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    public void Override_WithoutDuration_Throws(int ticks)
    {
        Should.Throw<ArgumentOutOfRangeException>(() => Control.Override(ServiceLevel.Reduced, TimeSpan.FromTicks(ticks))).ParamName.ShouldBe("expiresIn");
        Control.Current.ShouldBe(ServiceLevel.Normal);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(4)]
    public void Override_ToNoLevel_Throws(int level)
    {
        Should.Throw<ArgumentOutOfRangeException>(() => Control.Override((ServiceLevel)level)).ParamName.ShouldBe("level");
        Should.Throw<ArgumentOutOfRangeException>(() => Control.WaitUntilAtMostAsync((ServiceLevel)level).AsTask());
    }

    [Fact]
    public void Override_ForTheLongestTime_IsHeld()
    {
        Control.Override(ServiceLevel.Reduced, TimeSpan.MaxValue);
        Control.Snapshot().OverriddenUntil.ShouldBe(DateTimeOffset.MaxValue);
        _host.Time.Advance(TimeSpan.FromDays(3));

        Control.Current.ShouldBe(ServiceLevel.Reduced);
    }

    [Fact]
    public async Task Override_ByALongHostileName_IsCutAndEscaped()
    {
        Control.Override(ServiceLevel.Reduced, by: "eve\r\n" + new string('x', 122) + "\U0001F600 and more");
        var entry = await _host.Logs.WaitForAsync(log => log.EventId.Name == "ServiceLevelOverridden", DegradationUnderTest.Patience);

        entry.Message.ShouldBe($"The service level is held at Reduced by eve\\r\\n{new string('x', 122)} until it is cleared; the signals ask for Normal.");
    }

    [Fact]
    public void Apply_TurnedOffAndOn_IsNormalThenTheOverrideAgain()
    {
        _host.Run(cpu: 1, seconds: 10);
        Control.Override(ServiceLevel.Essential);
        Control.Apply(new DegradationPolicy(new DegradationOptions()) { Enabled = false });
        Control.Current.ShouldBe(ServiceLevel.Normal);
        Control.IsShedding.ShouldBeFalse();
        Control.Override(ServiceLevel.Survival);
        Control.Current.ShouldBe(ServiceLevel.Normal);

        Control.Apply(new DegradationPolicy(_host.Options));
        Control.Current.ShouldBe(ServiceLevel.Survival);
        Control.Snapshot().SignalledLevel.ShouldBe(ServiceLevel.Normal);
    }

    [Fact]
    public void Apply_OtherThresholds_KeepsWhereItIs()
    {
        _host.Run(cpu: 0.95, seconds: 5);
        var (level, severity) = (Control.Current, Control.Shedding.Severity);
        level.ShouldBe(ServiceLevel.Essential);
        var options = new DegradationOptions { Smoothing = TimeSpan.Zero, StartupGrace = TimeSpan.Zero };
        (options.Cpu.Enter, options.Cpu.Exit) = (0.99, 0.5);
        Control.Apply(new DegradationPolicy(options));
        (Control.Current, Control.Shedding.Severity).ShouldBe((level, severity));

        _host.Run(cpu: 0.95, seconds: 60);
        (Control.Current, Control.Shedding.Severity).ShouldBe((level, severity));
    }

    [Fact]
    public async Task Override_RaceOfSettersExpiriesAndReaders_EndsWhereTheSignalsAre()
    {
        using var stop = new CancellationTokenSource();
        var reader = Task.Run(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                ((int)Control.Current).ShouldBeInRange(0, 3);
                Control.Snapshot().Level.ShouldBeOneOf(Enum.GetValues<ServiceLevel>());
            }
        });
        var setters = Enumerable.Range(0, 2).Select(seed => Task.Run(() =>
        {
            var random = new Random(seed);
            for (var i = 0; i < 2_000; i++)
            {
                switch (random.Next(3))
                {
                    case 0:
                        Control.Override((ServiceLevel)random.Next(4), TimeSpan.FromSeconds(1 + random.Next(3)));
                        break;
                    case 1:
                        Control.ClearOverride();
                        break;
                    default:
                        _host.Time.Advance(TimeSpan.FromSeconds(1));
                        break;
                }
            }
        }));
        await Task.WhenAll(setters);
        await stop.CancelAsync();
        await reader;
        _host.Time.Advance(TimeSpan.FromSeconds(10));

        Control.Snapshot().IsOverridden.ShouldBeFalse();
        Control.Current.ShouldBe(ServiceLevel.Normal);
        Control.IsShedding.ShouldBeFalse();
        _host.Time.ArmedTimers.ShouldBe(0);
    }
}
