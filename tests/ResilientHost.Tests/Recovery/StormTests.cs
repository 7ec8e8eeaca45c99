using System.Diagnostics;
using System.Runtime.CompilerServices;
using Microsoft.Extensions.Logging;
using ResilientHost.Hosting;
using ResilientHost.Recovery;

namespace ResilientHost.Tests.Recovery;

public class StormTests
{
    [Fact]
    public async Task Storm_OneFingerprint_IsLoggedOnceAndSummedUpWhenTheIntervalEnds()
    {
        using var host = new RecoveryHost();
        for (var i = 0; i < 500; i++)
        {
            await host.RecoverAsync(host.Request(), ThrowA());
        }

        host.Log.Loud.Count.ShouldBe(1);
        host.Time.Advance(TimeSpan.FromSeconds(9.9));
        host.Log.Loud.Count.ShouldBe(1);
        host.Time.Advance(TimeSpan.FromSeconds(0.1));

        host.Log.Loud.Count.ShouldBe(2);
        var summary = host.Log.Loud[1];
        summary.Id.Id.ShouldBe(1502);
        summary.Level.ShouldBe(LogLevel.Warning);
        summary.Exception.ShouldBeNull();
        summary.Message.ShouldContain("499 more of System.InvalidOperationException");
        summary.Message.ShouldContain(nameof(ThrowA));
        summary.Message.ShouldContain("GET /orders/{id}");
        host.Measurements.Count.ShouldBe(500);
        host.Time.ArmedTimers.ShouldBe(0);
    }

    [Fact]
    public async Task Storm_NextInterval_LogsInFullAgain()
    {
        using var host = new RecoveryHost();
        await host.RecoverAsync(host.Request(), ThrowA());
        host.Time.Advance(TimeSpan.FromSeconds(10));
        await host.RecoverAsync(host.Request(), ThrowA());

        host.Log.Loud.Select(entry => entry.Id.Id).ShouldBe([1500, 1500]);
    }

    [Fact]
    public async Task Storm_SingleException_ArmsNoTimer()
    {
        using var host = new RecoveryHost();
        await host.RecoverAsync(host.Request(), ThrowA());

        host.Time.ArmedTimers.ShouldBe(0);
    }

    [Fact]
    public async Task Storm_OtherSiteTypeOrEndpoint_IsAnotherFingerprint()
    {
        using var host = new RecoveryHost();
        await host.RecoverAsync(host.Request(), ThrowA());
        await host.RecoverAsync(host.Request(), ThrowB());
        await host.RecoverAsync(host.Request(), ThrowNull());
        await host.RecoverAsync(host.Request(), ThrowA(), RecoveryHost.Scope("GET /other"));

        host.Log.Loud.Count.ShouldBe(4);
    }

    [Fact]
    public async Task Storm_EndsWithTheHost_LosesNoSummary()
    {
        var host = new RecoveryHost();
        await host.RecoverAsync(host.Request(), ThrowA());
        await host.RecoverAsync(host.Request(), ThrowA());

        host.Dispose();

        host.Log.Loud.Select(entry => entry.Id.Id).ShouldBe([1500, 1502]);
    }

    [Fact]
    public async Task Storm_ShorterIntervalAfterReload_AppliesToTheNextInterval()
    {
        using var host = new RecoveryHost();
        host.Policy = new RecoveryPolicy(new RecoveryOptions { DetailInterval = TimeSpan.FromSeconds(1) }, isDevelopment: false);
        await host.RecoverAsync(host.Request(), ThrowA());
        host.Time.Advance(TimeSpan.FromSeconds(1));
        await host.RecoverAsync(host.Request(), ThrowA());

        host.Log.Loud.Count.ShouldBe(2);
    }

    [Fact]
    public void Admit_MoreFingerprintsThanTheTableHolds_SharesOneBucket()
    {
        var time = new ManualTimeProvider();
        var summaries = new List<StormSummary>();
        using var gate = Gate(time, summaries);
        var admitted = Enumerable.Range(0, StormGate.MaxFingerprints * 2).Count(i => gate.Admit(Numbered(i)));

        admitted.ShouldBe(StormGate.MaxFingerprints + 1);
        time.Advance(TimeSpan.FromSeconds(10));
        summaries.ShouldHaveSingleItem().ShouldBe(new StormSummary(Fingerprint.Other, StormGate.MaxFingerprints - 1, TimeSpan.FromSeconds(10)));
    }

    [Fact]
    public void Admit_QuietFingerprints_MakeRoomForNewOnes()
    {
        var time = new ManualTimeProvider();
        using var gate = Gate(time, []);
        for (var i = 0; i < StormGate.MaxFingerprints; i++)
        {
            gate.Admit(Numbered(i));
        }

        time.Advance(TimeSpan.FromSeconds(10));

        gate.Admit(Numbered(1000)).ShouldBeTrue();
        gate.Admit(Numbered(1001)).ShouldBeTrue();
    }

    [Fact]
    public void Admit_SeveralStorms_EachIsSummedUpAtItsOwnEnd()
    {
        var time = new ManualTimeProvider();
        var summaries = new List<StormSummary>();
        using var gate = Gate(time, summaries);
        gate.Admit(Numbered(1));
        gate.Admit(Numbered(1));
        time.Advance(TimeSpan.FromSeconds(4));
        gate.Admit(Numbered(2));
        gate.Admit(Numbered(2));

        time.Advance(TimeSpan.FromSeconds(6));
        summaries.Count.ShouldBe(1);
        time.Advance(TimeSpan.FromSeconds(4));
        summaries.Count.ShouldBe(2);
        time.ArmedTimers.ShouldBe(0);
    }

    [Fact]
    public void Admit_ManyThreads_AdmitsOneAndCountsTheRest()
    {
        var time = new ManualTimeProvider();
        var summaries = new List<StormSummary>();
        using var gate = Gate(time, summaries);
        var admitted = 0;
        Parallel.For(0, 8, _ =>
        {
            for (var i = 0; i < 1000; i++)
            {
                if (gate.Admit(Numbered(1)))
                {
                    Interlocked.Increment(ref admitted);
                }
            }
        });

        admitted.ShouldBe(1);
        gate.Flush();
        summaries.ShouldHaveSingleItem().Repeats.ShouldBe(7999);
    }

    [Fact]
    public void Admit_WhileWindowsEndAndMakeRoom_LosesAndAddsNothing()
    {
        const int Calls = 40_000;
        var time = new ManualTimeProvider();
        var (admitted, repeats, seed) = (0L, 0L, 0);
        using var gate = new StormGate(new MonotonicClock(time), static () => new RecoveryPolicy(new RecoveryOptions(), isDevelopment: false), summary => Interlocked.Add(ref repeats, summary.Repeats));
        Parallel.For(0, 4, _ =>
        {
            var random = new Random(Interlocked.Increment(ref seed));
            for (var i = 0; i < Calls; i++)
            {
                // Some that come all the time, and more of others than the table holds.
                var number = random.Next(4) == 0 ? random.Next(StormGate.MaxFingerprints * 2) : random.Next(4);
                Interlocked.Add(ref admitted, gate.Admit(Numbered(number)) ? 1 : 0);
                if (random.Next(50) == 0)
                {
                    time.Advance(TimeSpan.FromSeconds(random.Next(12)));
                }
            }
        });

        gate.Flush();
        (admitted + repeats).ShouldBe(4 * Calls);
    }

    [Fact]
    public void ThrowSite_ThrowHelper_NamesItsCaller() => ThrowSite.Of(ThrowNull()).Method.ShouldBe(nameof(ThrowNull));

    [Fact]
    public async Task ThrowSite_AskedTheQuickWay_TellsTheSame()
    {
        Exception[] exceptions =
        [
            ThrowA(),
            ThrowNull(),
            new InvalidOperationException(),
            Catch(() => Nested<int>.Throw("generic")),
            Catch(() => new List<int> { 0 }.ForEach(static _ => throw new InvalidOperationException("lambda"))),
            await CatchAsync<string>(),
        ];

        foreach (var exception in exceptions)
        {
            var expected = ThrowSite.Of(exception);
            ThrowSite.OfFresh(exception).ShouldBe(expected);
        }
    }

    // An exception keeps what it has once been asked: the second failure must not be told as the first.
    [Fact]
    public async Task Storm_OneExceptionObjectThrownAtTwoPlaces_IsTwoFingerprints()
    {
        using var host = new RecoveryHost();
        var shared = new InvalidOperationException("kept in a static field");
        await host.RecoverAsync(host.Request(), Catch(() => ThrowHere(shared)));
        await host.RecoverAsync(host.Request(), Catch(() => ThrowThere(shared)));
        await host.RecoverAsync(host.Request(), Catch(() => ThrowThere(shared)));

        host.Log.Loud.Count.ShouldBe(2);
        host.Time.Advance(TimeSpan.FromSeconds(10));
        host.Log.Loud[2].Message.ShouldContain(nameof(ThrowThere));
    }

    [Fact]
    public void ThrowSite_NeverThrown_IsUnknown() => ThrowSite.Of(new InvalidOperationException()).ToString().ShouldBe("(unknown)");

    [Fact]
    public void Gate_MadeWithinARequest_DoesNotKeepItsContext()
    {
        var local = new AsyncLocal<string?> { Value = "request" };
        var time = new CapturingTimeProvider();
        using var gate = new StormGate(new ResilientHost.Hosting.MonotonicClock(time), () => new RecoveryPolicy(new RecoveryOptions(), false), _ => { });

        time.FlowWasSuppressed.ShouldBeTrue();
        local.Value.ShouldBe("request");
    }

    private static StormGate Gate(ManualTimeProvider time, List<StormSummary> summaries) =>
        new(new ResilientHost.Hosting.MonotonicClock(time), () => new RecoveryPolicy(new RecoveryOptions(), isDevelopment: false), summaries.Add);

    private static Fingerprint Numbered(int number) => new(FailureKind.Answered, $"T{number}", new ThrowSite("S", "M"), "E");

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void ThrowHere(Exception exception) => throw exception;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void ThrowThere(Exception exception) => throw exception;

    private static async Task<Exception> CatchAsync<T>()
    {
        try
        {
            await ThrowAsync<T>();
            throw new UnreachableException();
        }
        catch (InvalidOperationException exception)
        {
            return exception;
        }
    }

    private static async Task ThrowAsync<T>()
    {
        await Task.Yield();
        throw new InvalidOperationException(typeof(T).Name);
    }

    private static InvalidOperationException ThrowA() => Catch(() => throw new InvalidOperationException("a"));

    private static InvalidOperationException ThrowB() => Catch(() => throw new InvalidOperationException("b"));

    private static ArgumentNullException ThrowNull(object? argument = null)
    {
        try
        {
            ArgumentNullException.ThrowIfNull(argument);
            throw new UnreachableException();
        }
        catch (ArgumentNullException exception)
        {
            return exception;
        }
    }

    private static InvalidOperationException Catch(Action action)
    {
        try
        {
            action();
            throw new UnreachableException();
        }
        catch (InvalidOperationException exception)
        {
            return exception;
        }
    }

    private sealed class CapturingTimeProvider : TimeProvider
    {
        public bool FlowWasSuppressed { get; private set; }

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            FlowWasSuppressed = ExecutionContext.IsFlowSuppressed();
            return new ManualTimeProvider().CreateTimer(callback, state, dueTime, period);
        }
    }

    private static class Nested<T>
    {
        [MethodImpl(MethodImplOptions.NoInlining)]
        public static void Throw(string message) => throw new InvalidOperationException($"{message} {typeof(T)}");
    }
}
