using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace ResilientHost.Tests.Degradation;

public sealed class DegradationSamplerTests
{
    [Fact]
    public async Task StartAsync_OfTheHost_SamplesOnAThreadOfItsOwnUntilStopped()
    {
        var context = new AsyncLocal<string?> { Value = "of the starter" };
        var seen = new TaskCompletionSource<(Thread Thread, (bool IsThreadPoolThread, bool IsBackground, ThreadPriority Priority, string? Context) Facts)>(TaskCreationOptions.RunContinuationsAsynchronously);
        using var host = new DegradationUnderTest(options => options.SampleInterval = TimeSpan.FromMilliseconds(100));
        host.Cpu = () =>
        {
            var current = Thread.CurrentThread;
            seen.TrySetResult((current, (current.IsThreadPoolThread, current.IsBackground, current.Priority, context.Value)));
            return 0;
        };
        var startup = host.Services.GetServices<IHostedService>().ShouldHaveSingleItem();
        await startup.StartAsync(CancellationToken.None);
        var (thread, facts) = await seen.Task.WaitAsync(DegradationUnderTest.Patience);
        await startup.StopAsync(CancellationToken.None);

        facts.ShouldBe((false, true, ThreadPriority.AboveNormal, null));
        thread.IsAlive.ShouldBeFalse();
    }

    [Fact]
    public void Sample_SignalThatHoldsTheLevel_IsToldToConfirmItself()
    {
        using var host = new DegradationUnderTest();
        host.Sampler.Find();
        host.Run(cpu: 0.8, seconds: 5);
        host.Confirmed.ShouldBe(0, "there is no level to hold");

        host.Run(cpu: 1, seconds: 3);
        host.Confirmed.ShouldBeInRange(2, 4);
        var before = host.Confirmed;
        host.Run(cpu: 0.8, seconds: 2);
        host.Confirmed.ShouldBe(before + 5, "it still holds it");

        before = host.Confirmed;
        host.Run(cpu: 0.1, seconds: 2);
        host.Confirmed.ShouldBe(before, "it lets go");
        host.Control.Current.ShouldBe(ServiceLevel.Reduced);
    }

    [Fact]
    public async Task Stop_SignalThatNeverReturns_IsLeftBehind()
    {
        using var gate = new ManualResetEventSlim();
        var entered = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var host = new DegradationUnderTest(options => options.SampleInterval = TimeSpan.FromMilliseconds(100));
        host.Cpu = () =>
        {
            entered.TrySetResult();
            gate.Wait();
            return 0;
        };
        host.Sampler.Start();
        await entered.Task.WaitAsync(DegradationUnderTest.Patience);

        await Task.Run(host.Sampler.Stop).WaitAsync(DegradationUnderTest.Patience);
        gate.Set();
    }

    [Fact]
    public async Task Sample_ApplicationsSignalThatHangs_LosesItsSayAndHoldsUpNoOther()
    {
        using var gate = new ManualResetEventSlim();
        var answers = 0;
        var backlog = new ScriptedSignal("backlog")
        {
            Says = () =>
            {
                if (Interlocked.Increment(ref answers) > 3)
                {
                    gate.Wait();
                }

                return 1;
            },
        };
        using var host = new DegradationUnderTest(options => options.SampleInterval = TimeSpan.FromMilliseconds(100), true, backlog);
        var passes = 0;
        var later = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        host.Cpu = () =>
        {
            if (++passes == 12)
            {
                later.SetResult();
            }

            return 0.8;
        };
        host.Sampler.Start();
        await later.Task.WaitAsync(DegradationUnderTest.Patience);

        host.Control.Snapshot().Signals.Select(signal => (signal.Name, HasValue: signal.Value is not null)).ShouldBe([("cpu", true), ("backlog", false)]);
        (await host.Logs.WaitForAsync(log => log.EventId.Name == "SignalHasNoSay", DegradationUnderTest.Patience)).Message.ShouldStartWith("Signal 'backlog' does not return.");

        var heard = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        host.Cpu = () =>
        {
            if (host.Control.Snapshot().Signals[1].Value is not null)
            {
                heard.TrySetResult();
            }

            return 0.8;
        };
        gate.Set();
        await heard.Task.WaitAsync(DegradationUnderTest.Patience);
        host.Sampler.Stop();
    }

    [Fact]
    public void Sample_SourceThatThrows_SilencesNoOther()
    {
        var backlog = new ScriptedSignal("backlog") { Says = () => 0.7 };
        using var host = new DegradationUnderTest(null, true, backlog);
        host.Sampler.Find();
        host.Cpu = () => throw new InvalidOperationException("no such file");
        for (var i = 0; i < 100; i++)
        {
            host.Sampler.Sample();
        }

        host.Control.Snapshot().Signals.Select(signal => (signal.Name, signal.Value)).ShouldBe([("cpu", null), ("backlog", 0.7)]);
        host.Logs.Entries.Count(entry => entry.EventId.Name == "SamplingFailed").ShouldBe(1);
    }

    [Fact]
    public void Sample_ApplicationsSignalThatThrowsOrSaysNothing_HasNoSayAndIsToldOnce()
    {
        var thrower = new ScriptedSignal("thrower") { Says = () => throw new InvalidOperationException("database is away") };
        var silent = new ScriptedSignal("silent") { Says = () => double.NaN };
        var endless = new ScriptedSignal("endless") { Says = () => double.PositiveInfinity };
        using var host = new DegradationUnderTest(null, true, thrower, silent, endless);
        host.Sampler.Find();
        host.Run(cpu: 0, seconds: 100);

        host.Control.Current.ShouldBe(ServiceLevel.Normal);
        host.Control.Snapshot().Signals.Skip(1).ShouldAllBe(signal => signal.Value == null);
        var told = host.Logs.Entries.Where(entry => entry.EventId.Name == "SignalHasNoSay").ToArray();
        told.Select(entry => entry.ValueOf("Signal")).ShouldBe(["thrower", "silent", "endless"]);
        told.Select(entry => entry.Exception?.Message).ShouldBe(["database is away", null, null]);

        thrower.Says = () => 1;
        host.Run(cpu: 0, seconds: 10);
        host.Control.Current.ShouldBe(ServiceLevel.Survival);
    }

    [Fact]
    public void Sample_ApplicationsSignal_DecidesByItsOwnThresholds()
    {
        var backlog = new ScriptedSignal("backlog", enter: -1, exit: -5) { Says = () => -1 };
        using var host = new DegradationUnderTest(null, true, backlog);
        host.Sampler.Find();
        host.Run(cpu: 0, seconds: 3);

        host.Control.Current.ShouldBe(ServiceLevel.Reduced);
        host.Control.Snapshot().Signals[1].ShouldBe(new SignalReading("backlog", -1, -1, -5, IsEnabled: true));
    }

    [Fact]
    public void Sample_WhileTurnedOff_AsksNobody()
    {
        var asked = 0;
        using var host = new DegradationUnderTest(options => options.Enabled = false);
        host.Sampler.Find();
        host.Cpu = () => ++asked;
        host.Sampler.Sample();

        asked.ShouldBe(0);
        host.Control.Current.ShouldBe(ServiceLevel.Normal);
    }

    [Theory]
    [InlineData("", 1, 0, "Name must be 1 to 64 lower case letters, digits and underscores, but is ''.")]
    [InlineData("Backlog", 1, 0, "Name must be 1 to 64 lower case letters, digits and underscores, but is 'Backlog'.")]
    [InlineData("back log\n", 1, 0, "Name must be 1 to 64 lower case letters, digits and underscores, but is 'back log\\n'.")]
    [InlineData("cpu", 1, 0, "Name must not be one of the suite's own signals, but is 'cpu'.")]
    [InlineData("backlog", 1, 1, "Enter must be above Exit (1), but is 1.")]
    [InlineData("backlog", 0.5, 1, "Enter must be above Exit (1), but is 0.5.")]
    [InlineData("backlog", double.NaN, 1, "Enter must be above Exit (1), but is NaN.")]
    [InlineData("backlog", double.PositiveInfinity, 1, "Enter must be above Exit (1), but is Infinity.")]
    [InlineData("backlog", 1, double.NaN, "Exit must be a finite number, but is NaN.")]
    public void Start_ApplicationsSignalThatIsWrong_IsAnErrorThatSaysHow(string name, double enter, double exit, string error)
    {
        using var host = new DegradationUnderTest(null, true, new ScriptedSignal(name, enter, exit));

        var thrown = Should.Throw<OptionsValidationException>(host.Sampler.Start);
        thrown.Failures.ShouldBe([$"Degradation signal {typeof(ScriptedSignal)}: {error}"]);
    }

    [Fact]
    public void Start_SeveralErrors_AreToldAtOnce()
    {
        using var host = new DegradationUnderTest(
            null, true, new ScriptedSignal("twin"), new ScriptedSignal("twin"), new ScriptedSignal("BAD", 1, 2), new UnreadableSignal(), new ScriptedSignal(new string('x', 64)));

        Should.Throw<OptionsValidationException>(host.Sampler.Start).Failures.ShouldBe(
        [
            $"Degradation signal {typeof(ScriptedSignal)}: Name must be 1 to 64 lower case letters, digits and underscores, but is 'BAD'.",
            $"Degradation signal {typeof(ScriptedSignal)}: Enter must be above Exit (2), but is 1.",
            $"Degradation signal {typeof(UnreadableSignal)}: Name, Enter and Exit must be readable at start, but one threw System.NotSupportedException: no name",
            "Degradation signal 'twin': Name must be unique, but 2 signals have it.",
        ]);
    }

    [Fact]
    public void Start_MissingSources_AreToldInOneLine()
    {
        using var host = new DegradationUnderTest();
        host.Sampler.Find();
        host.Sampler.Sample();

        var entry = host.Logs.Entries.Single(log => log.EventId.Name == "SignalsMissing");
        entry.Message.ShouldBe(
            "These signals cannot be read here and have no say in the service level: memory; memory_projected; gc_pause; thread_pool_delay; thread_pool_queue; lock_contention; "
            + "file_descriptors; cpu_pressure; memory_pressure; memory_events.");
    }

    [Fact]
    public void Sample_WithAllSignals_AllocatesNothing()
    {
        using var host = new DegradationUnderTest(null, true, [.. Enumerable.Range(0, 20).Select(i => new ScriptedSignal($"signal_{i}"))]);
        host.Sampler.Find();
        host.Run(cpu: 0.5, seconds: 50);
        AllocatedBytes.Of(() =>
        {
            for (var i = 0; i < 500; i++)
            {
                host.Sampler.Sample();
            }
        }).ShouldBe(0);
    }

    private sealed class UnreadableSignal : IDegradationSignal
    {
        public string Name => throw new NotSupportedException("no name");

        public double Enter => 1;

        public double Exit => 0;

        public double Read() => 0;
    }
}
