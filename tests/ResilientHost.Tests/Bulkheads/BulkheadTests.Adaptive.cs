namespace ResilientHost.Tests.Bulkheads;

public partial class BulkheadTests
{
    private static readonly TimeSpan Latency = TimeSpan.FromMilliseconds(10);

    [Theory]
    [InlineData(AdaptiveLimit.Aimd)]
    [InlineData(AdaptiveLimit.Gradient2)]
    public void Adaptive_New_BeginsAtInitialConcurrency(AdaptiveLimit algorithm)
    {
        Adaptive(algorithm, initial: 7).Snapshot().Limit.ShouldBe(7);
        Adaptive(algorithm, initial: null).Snapshot().Limit.ShouldBe(20);
        Adaptive(algorithm, initial: null, max: 5).Limit.ShouldBe(5);
        Adaptive(algorithm, initial: 7).CanQueue.ShouldBeFalse();
    }

    [Fact]
    public void Aimd_SuccessesWhileHalfIsInUse_OneMoreEachAndNoneBelow()
    {
        var bulkhead = Adaptive(AdaptiveLimit.Aimd, initial: 10);
        var leases = EnterAll(bulkhead);

        bulkhead.Exit(leases[0], CallOutcome.Succeeded);
        bulkhead.Snapshot().Limit.ShouldBe(11);

        leases.ForEach(lease => bulkhead.Exit(lease, CallOutcome.Succeeded));
        bulkhead.Snapshot().Limit.ShouldBe(14, "with 6 of 14 calls inside, less than half is in use");
        ShouldBeEmptyAndWhole(bulkhead);
    }

    [Fact]
    public void Aimd_SuccessWithLessThanHalfInUse_NoChange()
    {
        var bulkhead = Adaptive(AdaptiveLimit.Aimd, initial: 10);

        for (var call = 0; call < 100; call++)
        {
            bulkhead.Exit(Enter(bulkhead), CallOutcome.Succeeded);
        }

        bulkhead.Limit.ShouldBe(10);
    }

    [Fact]
    public void Aimd_SequentialFailures_ATenthLessEach()
    {
        var bulkhead = Adaptive(AdaptiveLimit.Aimd, initial: 20);

        List<int> limits = [];
        for (var call = 0; call < 15; call++)
        {
            bulkhead.Exit(Enter(bulkhead), CallOutcome.Failed);
            limits.Add(bulkhead.Limit);
        }

        limits.ShouldBe([18, 16, 14, 12, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 1]);
        ShouldBeEmptyAndWhole(bulkhead);
    }

    [Fact]
    public void Aimd_BurstThatFailsTogether_DecreasesOnce()
    {
        var bulkhead = Adaptive(AdaptiveLimit.Aimd, initial: 50);
        var leases = EnterAll(bulkhead);
        _time.Advance(Latency);

        leases.ForEach(lease => bulkhead.Exit(lease, CallOutcome.Failed));

        bulkhead.Limit.ShouldBe(45);
        ShouldBeEmptyAndWhole(bulkhead);
    }

    [Fact]
    public void Aimd_LimitFalls_NobodyEntersBeforeFewerAreInside()
    {
        var bulkhead = Adaptive(AdaptiveLimit.Aimd, initial: 10);
        var leases = EnterAll(bulkhead);

        bulkhead.Exit(leases[0], CallOutcome.Failed);

        bulkhead.Snapshot().ShouldBe(new BulkheadSnapshot { Limit = 9, InFlight = 9 });
        bulkhead.TryEnterUncounted(out _).ShouldBeFalse();
        bulkhead.Exit(leases[1], CallOutcome.Ignored);
        bulkhead.TryEnterUncounted(out var another).ShouldBeTrue();
        leases.Append(another).ToList().ForEach(lease => bulkhead.Exit(lease, CallOutcome.Ignored));
        ShouldBeEmptyAndWhole(bulkhead);
    }

    [Fact]
    public async Task Aimd_LimitGrows_AdmitsWaitersAtOnce()
    {
        var bulkhead = Adaptive(AdaptiveLimit.Aimd, initial: 2, queue: 5);
        var leases = EnterAll(bulkhead);
        var first = bulkhead.EnterAsync().AsTask();
        var second = bulkhead.EnterAsync().AsTask();
        var third = bulkhead.EnterAsync().AsTask();

        bulkhead.Exit(leases[0], CallOutcome.Succeeded);

        bulkhead.Snapshot().ShouldBe(new BulkheadSnapshot { Limit = 3, InFlight = 3, Queued = 1 });
        bulkhead.Exit(leases[1], CallOutcome.Ignored);
        (await Task.WhenAll(first, second, third)).ToList().ForEach(admission => bulkhead.Exit(admission.Lease, CallOutcome.Ignored));
        bulkhead.Limit.ShouldBe(3);
        ShouldBeEmptyAndWhole(bulkhead);
    }

    [Theory]
    [InlineData(AdaptiveLimit.Aimd)]
    [InlineData(AdaptiveLimit.Gradient2)]
    public void Adaptive_IgnoredOutcomes_TeachNothing(AdaptiveLimit algorithm)
    {
        var bulkhead = Adaptive(algorithm, initial: 10);

        for (var round = 0; round < 100; round++)
        {
            var leases = EnterAll(bulkhead);
            _time.Advance(TimeSpan.FromSeconds(round % 2));
            leases.ForEach(lease => bulkhead.Exit(lease, CallOutcome.Ignored));
        }

        bulkhead.Limit.ShouldBe(10);
    }

    [Theory]
    [InlineData(AdaptiveLimit.Aimd)]
    [InlineData(AdaptiveLimit.Gradient2)]
    public void Adaptive_SameLeaseTwice_TeachesOnce(AdaptiveLimit algorithm)
    {
        var bulkhead = Adaptive(algorithm, initial: 10);
        var lease = Enter(bulkhead);

        for (var time = 0; time < 100; time++)
        {
            bulkhead.Exit(lease, CallOutcome.Failed);
        }

        bulkhead.Limit.ShouldBe(algorithm == AdaptiveLimit.Aimd ? 9 : 10);
        ShouldBeEmptyAndWhole(bulkhead);
    }

    [Fact]
    public void Gradient2_SteadyLatencyInFullUse_GrowsToTheMaximum()
    {
        var bulkhead = Adaptive(AdaptiveLimit.Gradient2, initial: 10, max: 30);

        Rounds(bulkhead, 100, Latency);

        bulkhead.Limit.ShouldBe(30);
        ShouldBeEmptyAndWhole(bulkhead);
    }

    [Fact]
    public void Gradient2_LatencyRises_ShrinksAndComesBackWhenItFalls()
    {
        var bulkhead = Adaptive(AdaptiveLimit.Gradient2, initial: 50, max: 60);
        Rounds(bulkhead, 100, Latency);

        Rounds(bulkhead, 20, 10 * Latency);
        bulkhead.Limit.ShouldBeLessThan(25);

        Rounds(bulkhead, 500, Latency);
        bulkhead.Limit.ShouldBe(60);
    }

    [Fact]
    public void Gradient2_FastErrors_NeitherGrowNorShrink()
    {
        var bulkhead = Adaptive(AdaptiveLimit.Gradient2, initial: 20);
        Rounds(bulkhead, 15, Latency);
        var before = bulkhead.Limit;

        Rounds(bulkhead, 1_000, TimeSpan.FromMilliseconds(1), CallOutcome.Failed);

        bulkhead.Limit.ShouldBe(before);
    }

    [Fact]
    public async Task Gradient2_TimeInTheQueue_IsNoLatency()
    {
        var bulkhead = Adaptive(AdaptiveLimit.Gradient2, initial: 10, max: 10, queue: 10);
        for (var round = 0; round < 100; round++)
        {
            var leases = EnterAll(bulkhead);
            var waiting = leases.ConvertAll(_ => bulkhead.EnterAsync().AsTask());
            _time.Advance(Latency);
            leases.ForEach(lease => bulkhead.Exit(lease, CallOutcome.Succeeded));
            leases = (await Task.WhenAll(waiting)).Select(admission => admission.Lease).ToList();
            _time.Advance(round < 50 ? TimeSpan.Zero : Latency);
            leases.ForEach(lease => bulkhead.Exit(lease, CallOutcome.Succeeded));
        }

        bulkhead.Limit.ShouldBe(10);
        ShouldBeEmptyAndWhole(bulkhead);
    }

    [Fact]
    public void Apply_OtherOptionsOfAnAdaptiveBulkhead_KeepsWhatWasLearnedWithinTheBounds()
    {
        var bulkhead = Adaptive(AdaptiveLimit.Aimd, initial: 10);
        EnterAll(bulkhead).ForEach(lease => bulkhead.Exit(lease, CallOutcome.Succeeded));
        bulkhead.Limit.ShouldBe(14);

        bulkhead.Apply(AdaptiveOptions(AdaptiveLimit.Aimd, initial: 10, queue: 5));
        bulkhead.Limit.ShouldBe(14);

        bulkhead.Apply(AdaptiveOptions(AdaptiveLimit.Aimd, initial: 10, max: 12));
        bulkhead.Limit.ShouldBe(12);

        bulkhead.Apply(AdaptiveOptions(AdaptiveLimit.Aimd, initial: 40, min: 30));
        bulkhead.Limit.ShouldBe(30);
        ShouldBeEmptyAndWhole(bulkhead);
    }

    [Fact]
    public void Apply_OtherAlgorithm_BeginsAnew()
    {
        var bulkhead = Adaptive(AdaptiveLimit.Aimd, initial: 10);
        EnterAll(bulkhead).ForEach(lease => bulkhead.Exit(lease, CallOutcome.Succeeded));

        bulkhead.Apply(AdaptiveOptions(AdaptiveLimit.Gradient2, initial: 10));
        bulkhead.Limit.ShouldBe(10);

        bulkhead.Apply(Options(3));
        bulkhead.Limit.ShouldBe(3);
        ShouldBeEmptyAndWhole(bulkhead);

        bulkhead.Apply(AdaptiveOptions(AdaptiveLimit.Aimd, initial: 8));
        bulkhead.Limit.ShouldBe(8);
        ShouldBeEmptyAndWhole(bulkhead);
    }

    [Fact]
    public void Apply_CallsThatEnteredUnderAFixedLimit_TeachNothing()
    {
        var bulkhead = Adaptive(AdaptiveLimit.Aimd, initial: 10);
        EnterAll(bulkhead).ForEach(lease => bulkhead.Exit(lease, CallOutcome.Ignored));
        bulkhead.Apply(Options(10));
        var leases = EnterAll(bulkhead);

        bulkhead.Apply(AdaptiveOptions(AdaptiveLimit.Aimd, initial: 10));
        leases.ForEach(lease => bulkhead.Exit(lease, CallOutcome.Failed));

        bulkhead.Limit.ShouldBe(10);
        ShouldBeEmptyAndWhole(bulkhead);
    }

    [Fact]
    public void Adaptive_Shadow_AdmitsAllAndShowsTheLimitItWouldHave()
    {
        var bulkhead = new Bulkhead("checkout", AdaptiveOptions(AdaptiveLimit.Aimd, initial: 10, mode: BulkheadMode.Shadow), _time);
        var leases = Enumerable.Range(0, 15).Select(_ => Enter(bulkhead)).ToList();

        bulkhead.Exit(leases[0], CallOutcome.Succeeded);
        bulkhead.Snapshot().ShouldBe(new BulkheadSnapshot { Limit = 11, InFlight = 14 });

        bulkhead.Exit(leases[1], CallOutcome.Failed);
        bulkhead.Limit.ShouldBe(9);
        leases.ForEach(lease => bulkhead.Exit(lease, CallOutcome.Ignored));
        bulkhead.ShadowRefused.ShouldBe(5);
        bulkhead.Apply(AdaptiveOptions(AdaptiveLimit.Aimd, initial: 10));
        ShouldBeEmptyAndWhole(bulkhead);
    }

    [Fact]
    public void Adaptive_DisabledAndBack_KeepsWhatWasLearned()
    {
        var bulkhead = Adaptive(AdaptiveLimit.Aimd, initial: 10);
        var leases = EnterAll(bulkhead);
        bulkhead.Exit(leases[0], CallOutcome.Failed);

        bulkhead.Apply(AdaptiveOptions(AdaptiveLimit.Aimd, initial: 10, mode: BulkheadMode.Disabled));
        bulkhead.Exit(Enter(bulkhead), CallOutcome.Succeeded);
        bulkhead.Apply(AdaptiveOptions(AdaptiveLimit.Aimd, initial: 10));

        bulkhead.Limit.ShouldBe(9);
        leases.ForEach(lease => bulkhead.Exit(lease, CallOutcome.Ignored));
        ShouldBeEmptyAndWhole(bulkhead);
    }

    [Theory]
    [InlineData(AdaptiveLimit.Aimd)]
    [InlineData(AdaptiveLimit.Gradient2)]
    public void Adaptive_EnterAndExit_AllocateNothing(AdaptiveLimit algorithm)
    {
        var bulkhead = Adaptive(algorithm, initial: 4);
        EnterAll(bulkhead).ForEach(lease => bulkhead.Exit(lease, CallOutcome.Ignored));

        AllocatedBytes.Of(Calls).ShouldBe(0);

        void Calls()
        {
            for (var call = 0; call < 1_000; call++)
            {
                bulkhead.TryEnter(out var first, out _);
                bulkhead.TryEnter(out var second, out _);
                bulkhead.Exit(first, CallOutcome.Succeeded);
                bulkhead.Exit(second, CallOutcome.Failed);
            }
        }
    }

    private static BulkheadOptions AdaptiveOptions(
        AdaptiveLimit algorithm, int? initial, int min = 1, int max = 200, int queue = 0, BulkheadMode mode = BulkheadMode.Enforce) =>
        new() { Adaptive = algorithm, InitialConcurrency = initial, MinConcurrency = min, MaxConcurrency = max, QueueLength = queue, Mode = mode };

    private static List<BulkheadLease> EnterAll(Bulkhead bulkhead)
    {
        List<BulkheadLease> leases = [];
        while (bulkhead.TryEnterUncounted(out var lease))
        {
            leases.Add(lease);
        }

        return leases;
    }

    private void Rounds(Bulkhead bulkhead, int rounds, TimeSpan latency, CallOutcome outcome = CallOutcome.Succeeded)
    {
        for (var round = 0; round < rounds; round++)
        {
            var leases = EnterAll(bulkhead);
            _time.Advance(latency);
            leases.ForEach(lease => bulkhead.Exit(lease, outcome));
            _time.Advance(TimeSpan.FromMilliseconds(100));
        }
    }

    private Bulkhead Adaptive(AdaptiveLimit algorithm, int? initial, int max = 200, int queue = 0) =>
        new("checkout", AdaptiveOptions(algorithm, initial, max: max, queue: queue), _time);
}
