namespace ResilientHost.Tests.Workers;

public sealed class PeriodicWorkerTests : IDisposable
{
    private readonly IterationsUnderTest _under = new();

    public void Dispose() => _under.Dispose();

    [Fact]
    public void Run_EachPeriod_WorksOnce()
    {
        var worker = new Ticker(_under);
        var run = worker.RunAsync(_under.Context, _under.Stopping);

        worker.Ticks.ShouldBeEmpty();
        Pass(worker, 9.9, expected: 0);
        Pass(worker, 0.1, expected: 1);
        Pass(worker, 10, expected: 2);
        worker.Ticks.ShouldBe([10, 20]);
        run.IsCompleted.ShouldBeFalse();
    }

    [Theory]
    [InlineData(true, 0, new double[] { 0, 10, 20 })]
    [InlineData(true, 3, new double[] { 3, 13, 23 })]
    [InlineData(false, 3, new double[] { 13, 23, 33 })]
    public void Run_WithItsFirstTime_KeepsTheDistanceFromThere(bool immediately, double initialDelay, double[] expected)
    {
        var worker = new Ticker(_under, immediately, initialDelay);
        _ = worker.RunAsync(_under.Context, _under.Stopping);
        var passed = 0.0;
        for (var i = 0; i < expected.Length; i++)
        {
            if (expected[i] > passed)
            {
                Pass(worker, expected[i] - passed, i + 1);
                passed = expected[i];
            }
        }

        worker.Ticks.ShouldBe(expected);
    }

    [Fact]
    public async Task Run_WhoseIterationsTakeLong_DoesNotDriftAndMakesUpForNone()
    {
        var worker = new Ticker(_under) { Takes = 25 };
        var run = worker.RunAsync(_under.Context, _under.Stopping);

        // Due at 10, ends at 35: those at 20 and 30 are left out. Due at 40, ends at 40.
        Pass(worker, 10, expected: 1);
        worker.Takes = 0;
        Pass(worker, 5, expected: 2);
        Pass(worker, 10, expected: 3);
        worker.Ticks.ShouldBe([10, 40, 50]);

        _under.Stop();
        await Should.ThrowAsync<OperationCanceledException>(() => run.WaitAsync(IterationsUnderTest.Patience));
    }

    [Fact]
    public void Run_WhoseIterationTakesExactlyAPeriod_LeavesNoneOut()
    {
        var worker = new Ticker(_under) { Takes = 10, Most = 3 };
        _ = worker.RunAsync(_under.Context, _under.Stopping);

        Pass(worker, 10, expected: 3);
        worker.Ticks.ShouldBe([10, 20, 30]);
    }

    [Fact]
    public void Run_WaitingForItsTime_IsNotSilent()
    {
        var worker = new Ticker(_under);
        _ = worker.RunAsync(_under.Context, _under.Stopping);

        _under.Silence().ShouldBeNull();
        Pass(worker, 10, expected: 1);
        _under.Silence().ShouldBeNull();
    }

    [Fact]
    public void Run_WhoseIterationFails_GoesOnAtTheNextTime()
    {
        var worker = new Ticker(_under) { Fails = true };
        var run = worker.RunAsync(_under.Context, _under.Stopping);

        Pass(worker, 10, expected: 1);
        Pass(worker, 10, expected: 2);
        run.IsCompleted.ShouldBeFalse();
        _under.Metrics.Of(
            ResilienceDiagnostics.Instruments.WorkerIterationDuration,
            (ResilienceDiagnostics.Tags.Iteration, "tick"),
            (ResilienceDiagnostics.Tags.Outcome, "failed")).Count.ShouldBe(2);
    }

    [Fact]
    public void Run_WithAPeriodBeyondTheReachOfTimers_WaitsInParts()
    {
        var worker = new Ticker(_under, immediately: false, initialDelay: 0, TimeSpan.FromDays(100));
        _ = worker.RunAsync(_under.Context, _under.Stopping);
        for (var day = 0; day < 100; day++)
        {
            worker.Ticks.ShouldBeEmpty();
            _under.AwaitTimer();
            _under.Time.Advance(TimeSpan.FromDays(1));
        }

        Await(worker, 1);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(366 * 24 * 3600)]
    public void Constructor_WithAPeriodOutOfBounds_Throws(double seconds) =>
        Should.Throw<ArgumentOutOfRangeException>(() => new Ticker(_under, immediately: false, initialDelay: 0, TimeSpan.FromSeconds(seconds)));

    [Fact]
    public void Constructor_WithANegativeInitialDelay_Throws() =>
        Should.Throw<ArgumentOutOfRangeException>(() => new Ticker(_under, immediately: true, initialDelay: -1));

    private void Pass(Ticker worker, double seconds, int expected)
    {
        _under.Time.Advance(TimeSpan.FromSeconds(seconds));
        Await(worker, expected);
    }

    private void Await(Ticker worker, int expected)
    {
        SpinWait.SpinUntil(() => worker.Ticks.Count >= expected, IterationsUnderTest.Patience).ShouldBeTrue();

        // The next wait has begun, or the time that passes next would come before it.
        _under.AwaitTimer();
        worker.Ticks.Count.ShouldBe(expected);
    }

    private sealed class Ticker : PeriodicWorker
    {
        private readonly IterationsUnderTest _under;
        private readonly DateTimeOffset _start;
        private readonly List<double> _ticks = [];

        public Ticker(IterationsUnderTest under, bool immediately = false, double initialDelay = 0, TimeSpan? period = null)
            : base(period ?? TimeSpan.FromSeconds(10))
        {
            _under = under;
            _start = under.Time.GetUtcNow();
            RunImmediately = immediately;
            InitialDelay = TimeSpan.FromSeconds(initialDelay);
        }

        public double Takes { get; set; }

        public int Most { get; init; } = int.MaxValue;

        public bool Fails { get; init; }

        public IReadOnlyList<double> Ticks
        {
            get
            {
                lock (_ticks)
                {
                    return [.. _ticks];
                }
            }
        }

        protected override Task RunIterationAsync(WorkerContext context, CancellationToken stoppingToken)
        {
            int count;
            lock (_ticks)
            {
                _ticks.Add((_under.Time.GetUtcNow() - _start).TotalSeconds);
                count = _ticks.Count;
            }

            if (Fails)
            {
                throw new InvalidOperationException("down");
            }

            _under.Time.Advance(TimeSpan.FromSeconds(count < Most ? Takes : 0));
            return Task.CompletedTask;
        }
    }
}
