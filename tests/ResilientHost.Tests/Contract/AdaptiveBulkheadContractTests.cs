using Microsoft.Extensions.Options;

namespace ResilientHost.Tests.Contract;

// Written from the contract and from what Netflix concurrency-limits publishes, against the public API alone.
public sealed class AdaptiveBulkheadContractTests
{
    private static readonly TimeSpan Latency = TimeSpan.FromMilliseconds(20);

    private readonly ManualTimeProvider _time = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static BulkheadOptions Options(AdaptiveLimit adaptive, int min = 1, int? initial = null, int? max = 100, BulkheadMode mode = BulkheadMode.Enforce, int queue = 0) =>
        new() { Adaptive = adaptive, MinConcurrency = min, InitialConcurrency = initial, MaxConcurrency = max, Mode = mode, QueueLength = queue };

    private Bulkhead Make(AdaptiveLimit adaptive, int min = 1, int? initial = null, int? max = 100, BulkheadMode mode = BulkheadMode.Enforce, int queue = 0) =>
        new("learned", Options(adaptive, min, initial, max, mode, queue), _time);

    private static int? LimitOf(Bulkhead bulkhead) => bulkhead.Snapshot().Limit;

    private static BulkheadLease[] Fill(Bulkhead bulkhead, int calls)
    {
        var leases = new BulkheadLease[calls];
        for (var i = 0; i < calls; i++)
        {
            bulkhead.TryEnter(out leases[i], out var refusal).ShouldBeTrue(refusal.ToString());
        }

        return leases;
    }

    /// <summary>As many calls as there is room for, all of one duration.</summary>
    private void Round(Bulkhead bulkhead, TimeSpan duration, CallOutcome outcome, int? calls = null)
    {
        var leases = Fill(bulkhead, calls ?? LimitOf(bulkhead)!.Value);
        _time.Advance(duration);
        foreach (var lease in leases)
        {
            bulkhead.Exit(lease, outcome);
        }
    }

    private static void FailOne(Bulkhead bulkhead) => EndOne(bulkhead, CallOutcome.Failed);

    private static void EndOne(Bulkhead bulkhead, CallOutcome outcome)
    {
        bulkhead.TryEnter(out var lease, out _).ShouldBeTrue();
        bulkhead.Exit(lease, outcome);
    }

    [Theory]
    [InlineData(null, 1, 100, 20)]
    [InlineData(null, 1, 8, 8)]
    [InlineData(null, 30, 100, 30)]
    [InlineData(5, 1, 100, 5)]
    [InlineData(1, 1, 1, 1)]
    public void Limit_BeforeAnyCall_IsTheInitialOne(int? initial, int min, int max, int expected)
    {
        LimitOf(Make(AdaptiveLimit.Aimd, min, initial, max)).ShouldBe(expected);
        LimitOf(Make(AdaptiveLimit.Gradient2, min, initial, max)).ShouldBe(expected);
    }

    [Fact]
    public void Limit_NotAdaptive_IgnoresMinimumAndInitial() => LimitOf(Make(AdaptiveLimit.None, 5, 10, 100)).ShouldBe(100);

    // The numbers of Netflix's AIMDLimitTest: 10 stays or becomes 11 with enough in use, 30 becomes 27.
    [Fact]
    public void Aimd_Success_AddsOne_WhenHalfIsInUse()
    {
        var bulkhead = Make(AdaptiveLimit.Aimd, initial: 10);
        var leases = Fill(bulkhead, 5);
        bulkhead.Exit(leases[0], CallOutcome.Succeeded);
        LimitOf(bulkhead).ShouldBe(11);
    }

    [Fact]
    public void Aimd_Success_AddsNothing_WhenLessThanHalfIsInUse()
    {
        var bulkhead = Make(AdaptiveLimit.Aimd, initial: 10);
        var leases = Fill(bulkhead, 4);
        foreach (var lease in leases)
        {
            bulkhead.Exit(lease, CallOutcome.Succeeded);
        }

        LimitOf(bulkhead).ShouldBe(10);
    }

    [Fact]
    public void Aimd_Failures_MultiplyByNineTenths_DownToTheMinimum()
    {
        var bulkhead = Make(AdaptiveLimit.Aimd, min: 3, initial: 30);
        var limits = new List<int?>();
        for (var i = 0; i < 30; i++)
        {
            FailOne(bulkhead);
            _time.Advance(Latency);
            limits.Add(LimitOf(bulkhead));
        }

        limits.Take(4).ShouldBe([27, 24, 21, 18]);
        limits.Zip(limits.Skip(1)).ShouldAllBe(pair => pair.Second < pair.First || pair.First == 3);
        limits[^1].ShouldBe(3);
    }

    [Fact]
    public void Aimd_BurstOfFailures_IsOneDecrease()
    {
        var bulkhead = Make(AdaptiveLimit.Aimd, initial: 50);
        Round(bulkhead, Latency, CallOutcome.Failed);
        LimitOf(bulkhead).ShouldBe(45);
    }

    [Fact]
    public void Aimd_Successes_StopAtTheMaximum()
    {
        var bulkhead = Make(AdaptiveLimit.Aimd, initial: 2, max: 12);
        for (var i = 0; i < 20; i++)
        {
            Round(bulkhead, Latency, CallOutcome.Succeeded);
        }

        LimitOf(bulkhead).ShouldBe(12);
        Fill(bulkhead, 12);
        bulkhead.TryEnter(out _, out var refusal).ShouldBeFalse();
        refusal.Reason.ShouldBe(RefusalReason.BulkheadFull);
    }

    [Theory]
    [InlineData(AdaptiveLimit.Aimd)]
    [InlineData(AdaptiveLimit.Gradient2)]
    public void Ignored_TeachesNothing(AdaptiveLimit adaptive)
    {
        var bulkhead = Make(adaptive, initial: 10);
        for (var i = 0; i < 200; i++)
        {
            Round(bulkhead, TimeSpan.FromMilliseconds(i * 10), CallOutcome.Ignored);
        }

        LimitOf(bulkhead).ShouldBe(10);
        bulkhead.Snapshot().InFlight.ShouldBe(0);
    }

    [Fact]
    public void Gradient2_SteadyLatencyUnderLoad_GrowsToTheMaximum()
    {
        var bulkhead = Make(AdaptiveLimit.Gradient2, initial: 5, max: 40);
        for (var i = 0; i < 3000; i++)
        {
            Round(bulkhead, Latency, CallOutcome.Succeeded);
        }

        LimitOf(bulkhead).ShouldBe(40);
    }

    [Fact]
    public void Gradient2_LatencyRises_ShrinksBeforeAnythingFails_AndComesBack()
    {
        var bulkhead = Make(AdaptiveLimit.Gradient2, min: 2, initial: 20, max: 40);
        for (var i = 0; i < 1000; i++)
        {
            Round(bulkhead, Latency, CallOutcome.Succeeded);
        }

        var before = LimitOf(bulkhead)!.Value;
        for (var i = 0; i < 50; i++)
        {
            Round(bulkhead, Latency * 10, CallOutcome.Succeeded);
        }

        var under = LimitOf(bulkhead)!.Value;
        under.ShouldBeLessThan(before / 2);
        under.ShouldBeGreaterThanOrEqualTo(2);
        for (var i = 0; i < 3000; i++)
        {
            Round(bulkhead, Latency, CallOutcome.Succeeded);
        }

        LimitOf(bulkhead)!.Value.ShouldBeGreaterThan(before * 9 / 10);
    }

    [Fact]
    public void Gradient2_FastErrors_AreNotLowLatency()
    {
        var bulkhead = Make(AdaptiveLimit.Gradient2, initial: 10, max: 100);
        for (var i = 0; i < 20; i++)
        {
            Round(bulkhead, Latency, CallOutcome.Succeeded);
        }

        var before = LimitOf(bulkhead)!.Value;
        for (var i = 0; i < 2000; i++)
        {
            Round(bulkhead, TimeSpan.FromMilliseconds(1), CallOutcome.Failed);
        }

        LimitOf(bulkhead)!.Value.ShouldBeLessThanOrEqualTo(before);
    }

    [Fact]
    public void Gradient2_HardlyUsed_DoesNotGrow()
    {
        var bulkhead = Make(AdaptiveLimit.Gradient2, initial: 20, max: 100);
        for (var i = 0; i < 2000; i++)
        {
            Round(bulkhead, Latency, CallOutcome.Succeeded, calls: 9);
        }

        LimitOf(bulkhead).ShouldBe(20);
    }

    [Theory]
    [InlineData(AdaptiveLimit.Aimd)]
    [InlineData(AdaptiveLimit.Gradient2)]
    public void Calls_OfNoDuration_BreakNothing(AdaptiveLimit adaptive)
    {
        var bulkhead = Make(adaptive, initial: 10, max: 50);
        for (var i = 0; i < 2000; i++)
        {
            Round(bulkhead, TimeSpan.Zero, i % 3 == 0 ? CallOutcome.Failed : CallOutcome.Succeeded);
        }

        _time.Advance(TimeSpan.FromDays(30));
        Round(bulkhead, TimeSpan.FromDays(30), CallOutcome.Succeeded);
        Round(bulkhead, TimeSpan.Zero, CallOutcome.Succeeded);
        LimitOf(bulkhead)!.Value.ShouldBeInRange(1, 50);
        bulkhead.Snapshot().InFlight.ShouldBe(0);
    }

    [Fact]
    public void Limit_Shrunk_RefusesUntilEnoughHaveLeft_AndEndsNobody()
    {
        var bulkhead = Make(AdaptiveLimit.Aimd, initial: 10);
        var leases = Fill(bulkhead, 10);
        bulkhead.Exit(leases[0], CallOutcome.Failed);
        bulkhead.Snapshot().ShouldBe(new BulkheadSnapshot { Limit = 9, InFlight = 9, Queued = 0, Refused = 0 });
        bulkhead.TryEnter(out _, out var refusal).ShouldBeFalse();
        refusal.IsCallersShare.ShouldBeFalse("the host's own protection");
        bulkhead.Exit(leases[1], CallOutcome.Ignored);
        bulkhead.TryEnter(out _, out _).ShouldBeTrue();
    }

    [Fact]
    public async Task Limit_Grown_AdmitsAWaiter()
    {
        var bulkhead = Make(AdaptiveLimit.Aimd, initial: 2, queue: 4);
        var leases = Fill(bulkhead, 2);
        var first = bulkhead.EnterAsync(Token).AsTask();
        var second = bulkhead.EnterAsync(Token).AsTask();
        bulkhead.Exit(leases[0], CallOutcome.Succeeded);
        var admitted = await Task.WhenAll(first, second);
        admitted.ShouldAllBe(admission => admission.IsAdmitted);
        bulkhead.Snapshot().ShouldBe(new BulkheadSnapshot { Limit = 3, InFlight = 3, Queued = 0, Refused = 0 });
        _time.ArmedTimers.ShouldBe(0);
    }

    [Fact]
    public async Task TimeInTheQueue_IsNotLatency()
    {
        var bulkhead = new Bulkhead(
            "learned", new BulkheadOptions { Adaptive = AdaptiveLimit.Gradient2, InitialConcurrency = 10, MaxConcurrency = 10, QueueLength = 10, QueueTimeout = TimeSpan.FromMinutes(1) }, _time);
        for (var i = 0; i < 100; i++)
        {
            Round(bulkhead, Latency, CallOutcome.Succeeded);
        }

        for (var i = 0; i < 100; i++)
        {
            var leases = Fill(bulkhead, 10);
            var waiters = Enumerable.Range(0, 10).Select(_ => bulkhead.EnterAsync(Token).AsTask()).ToList();
            _time.Advance(Latency * 20);
            foreach (var lease in leases)
            {
                bulkhead.Exit(lease, CallOutcome.Ignored);
            }

            var admissions = await Task.WhenAll(waiters);
            _time.Advance(Latency);
            foreach (var admission in admissions)
            {
                bulkhead.Exit(admission.Lease, CallOutcome.Succeeded);
            }
        }

        LimitOf(bulkhead).ShouldBe(10);
    }

    [Fact]
    public void Exit_Twice_TeachesOnceAndMintsNothing()
    {
        var bulkhead = Make(AdaptiveLimit.Aimd, initial: 10);
        var leases = Fill(bulkhead, 10);
        bulkhead.Exit(leases[0], CallOutcome.Failed);
        _time.Advance(Latency);
        bulkhead.Exit(leases[0], CallOutcome.Failed);
        bulkhead.Exit(leases[0], CallOutcome.Succeeded);
        bulkhead.Exit(default, CallOutcome.Failed);
        bulkhead.Snapshot().ShouldBe(new BulkheadSnapshot { Limit = 9, InFlight = 9, Queued = 0, Refused = 0 });
    }

    [Fact]
    public void Apply_SameAlgorithm_KeepsWhatWasLearned_WithinTheNewBounds()
    {
        var bulkhead = Make(AdaptiveLimit.Aimd, initial: 10);
        Round(bulkhead, Latency, CallOutcome.Succeeded);
        var learned = LimitOf(bulkhead)!.Value;
        learned.ShouldBeGreaterThan(10);

        bulkhead.Apply(Options(AdaptiveLimit.Aimd, initial: 50, max: 90));
        LimitOf(bulkhead).ShouldBe(learned);
        bulkhead.Apply(Options(AdaptiveLimit.Aimd, max: 8));
        LimitOf(bulkhead).ShouldBe(8);
        bulkhead.Apply(Options(AdaptiveLimit.Aimd, min: 30));
        LimitOf(bulkhead).ShouldBe(30);
        bulkhead.Apply(Options(AdaptiveLimit.None, max: 64));
        LimitOf(bulkhead).ShouldBe(64);
        bulkhead.Apply(Options(AdaptiveLimit.Gradient2, initial: 7));
        LimitOf(bulkhead).ShouldBe(7);
    }

    [Fact]
    public void Apply_WhileCallsAreInside_LosesNoPermit()
    {
        var bulkhead = Make(AdaptiveLimit.Aimd, initial: 10);
        var leases = Fill(bulkhead, 10);
        bulkhead.Apply(Options(AdaptiveLimit.Gradient2, initial: 4));
        foreach (var lease in leases)
        {
            bulkhead.Exit(lease, CallOutcome.Ignored);
        }

        Fill(bulkhead, 4);
        bulkhead.TryEnter(out _, out _).ShouldBeFalse();
        bulkhead.Snapshot().ShouldBe(new BulkheadSnapshot { Limit = 4, InFlight = 4, Queued = 0, Refused = 1 });
    }

    [Fact]
    public void Shadow_Learns_AndRefusesNobody()
    {
        var bulkhead = Make(AdaptiveLimit.Aimd, initial: 10, mode: BulkheadMode.Shadow);
        for (var i = 0; i < 10; i++)
        {
            FailOne(bulkhead);
            _time.Advance(Latency);
        }

        LimitOf(bulkhead)!.Value.ShouldBeLessThan(5);
        Fill(bulkhead, 50);
        bulkhead.Snapshot().Refused.ShouldBe(0);
    }

    [Theory]
    [InlineData(0, null, 100, "MinConcurrency")]
    [InlineData(-1, null, 100, "MinConcurrency")]
    [InlineData(101, null, 100, "MinConcurrency")]
    [InlineData(5, 4, 100, "InitialConcurrency")]
    [InlineData(5, 101, 100, "InitialConcurrency")]
    [InlineData(1, null, null, "MaxConcurrency")]
    public void Options_OutOfBounds_NameThePropertyAndChangeNothing(int min, int? initial, int? max, string property)
    {
        var options = Options(AdaptiveLimit.Aimd, min, initial, max);
        Should.Throw<OptionsValidationException>(() => new Bulkhead("learned", options, _time)).Message.ShouldContain(property);

        var bulkhead = Make(AdaptiveLimit.Aimd, initial: 10);
        Should.Throw<OptionsValidationException>(() => bulkhead.Apply(options)).Message.ShouldContain("learned");
        LimitOf(bulkhead).ShouldBe(10);
    }

    [Fact]
    public void Options_UnknownAlgorithm_IsRefused() =>
        Should.Throw<OptionsValidationException>(() => Make((AdaptiveLimit)7)).Message.ShouldContain("Adaptive");

    [Theory]
    [InlineData(AdaptiveLimit.Aimd, 1)]
    [InlineData(AdaptiveLimit.Aimd, 2)]
    [InlineData(AdaptiveLimit.Gradient2, 3)]
    [InlineData(AdaptiveLimit.Gradient2, 4)]
    public void Walk_AtRandom_ConservesPermits(AdaptiveLimit adaptive, int seed)
    {
        var random = new Random(seed);
        var bulkhead = Make(adaptive, min: 2, initial: 8, max: 32, queue: 4);
        var inside = new List<BulkheadLease>();
        var waiting = new List<(Task<BulkheadAdmission> Task, CancellationTokenSource Patience)>();
        for (var step = 0; step < 20_000; step++)
        {
            switch (random.Next(6))
            {
                case 0 or 1:
                    if (bulkhead.TryEnter(out var lease, out _))
                    {
                        inside.Add(lease);
                        inside.Count.ShouldBeLessThanOrEqualTo(LimitOf(bulkhead)!.Value, "an admitted call is within the limit");
                    }

                    break;
                case 2:
                    var patience = new CancellationTokenSource();
                    waiting.Add((bulkhead.EnterAsync(patience.Token).AsTask(), patience));
                    break;
                case 3 or 4 when inside.Count > 0:
                    var index = random.Next(inside.Count);
                    bulkhead.Exit(inside[index], (CallOutcome)random.Next(3));
                    inside.RemoveAt(index);
                    break;
                case 5 when waiting.Count > 0 && random.Next(4) == 0:
                    waiting[random.Next(waiting.Count)].Patience.Cancel();
                    break;
                default:
                    _time.Advance(TimeSpan.FromMilliseconds(random.Next(40)));
                    break;
            }

            foreach (var waiter in waiting.Where(waiter => waiter.Task.IsCompleted).ToList())
            {
                waiting.Remove(waiter);
                waiter.Patience.Dispose();
                if (waiter.Task is { IsCompletedSuccessfully: true, Result: { IsAdmitted: true } admission })
                {
                    inside.Add(admission.Lease);
                }
            }

            LimitOf(bulkhead)!.Value.ShouldBeInRange(2, 32);
        }

        waiting.ForEach(waiter => waiter.Patience.Cancel());
        SpinWait.SpinUntil(() => waiting.TrueForAll(waiter => waiter.Task.IsCompleted), TimeSpan.FromSeconds(20)).ShouldBeTrue();
        foreach (var waiter in waiting)
        {
            waiter.Patience.Dispose();
            if (waiter.Task is { IsCompletedSuccessfully: true, Result: { IsAdmitted: true } admission })
            {
                inside.Add(admission.Lease);
            }
        }

        bulkhead.Snapshot().InFlight.ShouldBe(inside.Count);
        inside.ForEach(lease => bulkhead.Exit(lease, CallOutcome.Ignored));
        bulkhead.Snapshot().InFlight.ShouldBe(0);
        bulkhead.Snapshot().Queued.ShouldBe(0);
        Fill(bulkhead, LimitOf(bulkhead)!.Value);
        bulkhead.TryEnter(out _, out _).ShouldBeFalse();
    }

    [Theory]
    [InlineData(AdaptiveLimit.Aimd)]
    [InlineData(AdaptiveLimit.Gradient2)]
    public void Stress_EntersExitsAndApplies_ReturnEveryPermit(AdaptiveLimit adaptive)
    {
        var bulkhead = new Bulkhead("learned", Options(adaptive, min: 2, initial: 8, max: 32));
        Parallel.For(0, 4, new ParallelOptions { CancellationToken = Token }, worker =>
        {
            var random = new Random(worker);
            for (var i = 0; i < 20_000; i++)
            {
                if (i % 1000 == 0 && worker == 0)
                {
                    bulkhead.Apply(Options(adaptive, min: 2, initial: 8, max: 8 + random.Next(24)));
                }

                if (bulkhead.TryEnter(out var lease, out _))
                {
                    bulkhead.Exit(lease, (CallOutcome)random.Next(3));
                    bulkhead.Exit(lease, CallOutcome.Failed);
                }
            }
        });
        bulkhead.Snapshot().InFlight.ShouldBe(0);
        Fill(bulkhead, LimitOf(bulkhead)!.Value);
        bulkhead.TryEnter(out _, out _).ShouldBeFalse();
    }
}
