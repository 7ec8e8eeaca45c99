namespace ResilientHost.Tests.Bulkheads;

public class BulkheadStressTests
{
    private const int Threads = 8;
    private const int Rounds = 2_000;

    [Theory]
    [InlineData(QueueOrder.OldestFirst, 1)]
    [InlineData(QueueOrder.NewestFirst, 2)]
    public async Task EnterAndExit_WithCancellationsTimeoutsDoubleExitsAndReloads_ConservesPermits(QueueOrder order, int seed)
    {
        ManualTimeProvider time = new();
        Bulkhead bulkhead = new("stress", Options(3), time);
        using Barrier start = new(Threads + 1);
        var workers = Enumerable.Range(0, Threads).Select(i => Task.Factory.StartNew(
            () => Work(new Random((seed * 100) + i)), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default).Unwrap()).ToArray();
        var running = Task.WhenAll(workers);

        start.SignalAndWait();
        Random random = new(seed);
        while (!running.IsCompleted)
        {
            bulkhead.Apply(Options(random.Next(1, 6)));
            time.Advance(TimeSpan.FromMilliseconds(random.Next(0, 60)));
            await Task.Yield();
        }

        await running;
        bulkhead.Apply(Options(5));
        var snapshot = bulkhead.Snapshot();
        (snapshot.InFlight, snapshot.Queued, time.ArmedTimers).ShouldBe((0, 0, 0));
        var taken = 0;
        while (bulkhead.TryEnterUncounted(out _))
        {
            taken++;
        }

        taken.ShouldBe(5);

        BulkheadOptions Options(int limit) =>
            new() { MaxConcurrency = limit, QueueLength = limit, QueueOrder = order, QueueTimeout = TimeSpan.FromMilliseconds(50) };

        async Task Work(Random random)
        {
            start.SignalAndWait();
            for (var round = 0; round < Rounds; round++)
            {
                using CancellationTokenSource cancellation = new();
                var entering = bulkhead.EnterAsync(cancellation.Token).AsTask();
                if (random.Next(4) == 0)
                {
                    cancellation.Cancel();
                }

                BulkheadLease lease;
                try
                {
                    lease = (await entering).Lease;
                }
                catch (OperationCanceledException)
                {
                    continue;
                }

                if (random.Next(3) == 0)
                {
                    await Task.Yield();
                }

                if (random.Next(3) == 0)
                {
                    var other = Task.Run(() => bulkhead.Exit(lease, CallOutcome.Failed));
                    bulkhead.Exit(lease, CallOutcome.Succeeded);
                    await other;
                }

                bulkhead.Exit(lease, CallOutcome.Succeeded);
                bulkhead.Exit(lease, CallOutcome.Succeeded);
            }
        }
    }

    [Fact]
    public async Task EnterAsync_RoomComesWhileTheCallJoinsTheQueue_NoWakeUpIsLost()
    {
        // Time stands still: a waiter that nobody wakes would wait for ever.
        Bulkhead bulkhead = new("stress", new BulkheadOptions { MaxConcurrency = 1, QueueLength = Threads }, new ManualTimeProvider());
        var workers = Enumerable.Range(0, 2).Select(_ => Task.Run(async () =>
        {
            for (var round = 0; round < 100_000; round++)
            {
                var admission = await bulkhead.EnterAsync();
                admission.IsAdmitted.ShouldBeTrue();
                bulkhead.Exit(admission.Lease, CallOutcome.Succeeded);
            }
        }));

        await Task.WhenAll(workers).WaitAsync(TimeSpan.FromSeconds(60));

        bulkhead.Snapshot().ShouldBe(new BulkheadSnapshot { Limit = 1 });
    }

    [Theory]
    [InlineData(Threads, Threads)]
    [InlineData(3, 3)]
    [InlineData(2, 2)]
    [InlineData(3, 64)]
    public void TryEnter_NoMoreCallersThanTheLimit_IsNeverRefused(int threads, int limit)
    {
        // With one caller fewer held for good, and slots that retired, so that a search has a way to go and can be passed on it.
        Bulkhead bulkhead = new("stress", new BulkheadOptions { MaxConcurrency = 2 * limit }, new ManualTimeProvider());
        var held = Enumerable.Range(0, limit - threads).Select(_ => EnterOne(bulkhead)).ToList();
        bulkhead.Apply(new BulkheadOptions { MaxConcurrency = limit });

        Parallel(threads, _ =>
        {
            for (var round = 0; round < 300_000 / threads; round++)
            {
                bulkhead.Exit(EnterOne(bulkhead), CallOutcome.Succeeded);
            }
        });

        held.ForEach(lease => bulkhead.Exit(lease, CallOutcome.Succeeded));
        bulkhead.Snapshot().ShouldBe(new BulkheadSnapshot { Limit = limit });
    }

    [Theory]
    [InlineData(2, 2)]
    [InlineData(2, 32)]
    [InlineData(4, 8)]
    public void TryEnter_OnlyWhatTheCallerLeftIsFreeAndItsPlaceMovesAbout_IsNeverRefused(int threads, int each)
    {
        // All is held but what a thread has just given back, and that is freed behind a search while what lies ahead of it is taken.
        Bulkhead bulkhead = new("stress", new BulkheadOptions { MaxConcurrency = threads * each }, new ManualTimeProvider());

        Parallel(threads, worker =>
        {
            Random random = new(worker);
            var held = Enumerable.Range(0, each).Select(_ => EnterOne(bulkhead)).ToArray();
            for (var round = 0; round < 600_000 / threads; round++)
            {
                var leaver = random.Next(held.Length);
                bulkhead.Exit(held[leaver], CallOutcome.Succeeded);
                held[leaver] = EnterOne(bulkhead);
            }

            Array.ForEach(held, lease => bulkhead.Exit(lease, CallOutcome.Succeeded));
        });

        bulkhead.Snapshot().ShouldBe(new BulkheadSnapshot { Limit = threads * each });
    }

    [Fact]
    public void TryEnter_TheOnlyPermitHandedFromThreadToThread_IsRefusedWhileHeldAndNeverAfter()
    {
        Bulkhead bulkhead = new("stress", new BulkheadOptions { MaxConcurrency = 1 }, new ManualTimeProvider());
        var turn = 0;
        var wrong = 0;

        Parallel(2, worker =>
        {
            for (var round = worker; round < 20_000; round += 2)
            {
                SpinWait.SpinUntil(() => Volatile.Read(ref turn) == round);
                wrong += bulkhead.TryEnterUncounted(out var lease) ? 0 : 1;
                wrong += bulkhead.TryEnterUncounted(out _) ? 1 : 0;
                bulkhead.Exit(lease, CallOutcome.Succeeded);
                Volatile.Write(ref turn, round + 1);
            }
        });

        wrong.ShouldBe(0);
        bulkhead.Snapshot().InFlight.ShouldBe(0);
    }

    [Theory]
    [InlineData(BulkheadMode.Enforce)]
    [InlineData(BulkheadMode.Shadow)]
    public void Apply_LimitUpAndDownWhileCallsComeAndGo_NeverMoreInsideThanTheHighestAndNoneLost(BulkheadMode mode)
    {
        const int Highest = 6;
        Bulkhead bulkhead = new("stress", new BulkheadOptions { MaxConcurrency = Highest, Mode = mode }, new ManualTimeProvider());
        var inside = 0;
        var most = 0;
        var running = Threads - 1;

        Parallel(Threads, worker =>
        {
            for (var round = 0; worker > 0 ? round < 20_000 : Volatile.Read(ref running) > 0; round++)
            {
                if (worker == 0)
                {
                    bulkhead.Apply(new BulkheadOptions { MaxConcurrency = 1 + (round % Highest), Mode = mode });
                }
                else if (bulkhead.TryEnterUncounted(out var lease))
                {
                    InterlockedMax(ref most, Interlocked.Increment(ref inside));
                    Interlocked.Decrement(ref inside);
                    bulkhead.Exit(lease, CallOutcome.Succeeded);
                }
            }

            Interlocked.Decrement(ref running);
        });

        most.ShouldBeLessThanOrEqualTo(mode == BulkheadMode.Enforce ? Highest : Threads);
        bulkhead.Apply(new BulkheadOptions { MaxConcurrency = 4 });
        bulkhead.Snapshot().InFlight.ShouldBe(0);
        Enumerable.Range(0, 4).ToList().ForEach(_ => EnterOne(bulkhead));
        bulkhead.TryEnterUncounted(out _).ShouldBeFalse();
    }

    [Fact]
    public void TryEnter_ManyThreads_NeverMoreInsideThanTheLimitAndNoneLost()
    {
        const int Limit = 3;
        Bulkhead bulkhead = new("stress", new BulkheadOptions { MaxConcurrency = Limit }, new ManualTimeProvider());
        var inside = 0;
        var most = 0;
        long admitted = 0;
        long refused = 0;

        Parallel(Threads, _ =>
        {
            for (var round = 0; round < 20_000; round++)
            {
                if (!bulkhead.TryEnter(out var lease, out var _))
                {
                    Interlocked.Increment(ref refused);
                    continue;
                }

                InterlockedMax(ref most, Interlocked.Increment(ref inside));
                Interlocked.Increment(ref admitted);
                Interlocked.Decrement(ref inside);
                bulkhead.Exit(lease, CallOutcome.Succeeded);
            }
        });

        most.ShouldBeLessThanOrEqualTo(Limit);
        (admitted + refused).ShouldBe(Threads * 20_000);
        bulkhead.Snapshot().ShouldBe(new BulkheadSnapshot { Limit = Limit, Refused = refused });
    }

    [Fact]
    public void Exit_SameLeaseFromManyThreads_ReturnsOnePermit()
    {
        Bulkhead bulkhead = new("stress", new BulkheadOptions { MaxConcurrency = 10 }, new ManualTimeProvider());
        var leases = new BulkheadLease[1_000];
        using Barrier round = new(Threads, _ => { });

        Parallel(Threads, worker =>
        {
            for (var i = 0; i < leases.Length; i++)
            {
                if (worker == 0)
                {
                    bulkhead.TryEnter(out leases[i], out var _).ShouldBeTrue();
                    bulkhead.TryEnter(out var other, out var _).ShouldBeTrue();
                    bulkhead.Exit(other, CallOutcome.Succeeded);
                }

                round.SignalAndWait();
                bulkhead.Exit(leases[i], CallOutcome.Succeeded);
                round.SignalAndWait();
                if (worker == 0)
                {
                    bulkhead.Snapshot().InFlight.ShouldBe(0);
                }
            }
        });
    }

    [Fact]
    public void TryEnter_NoLimit_GrowsUnderContentionWithoutLosingSlots()
    {
        Bulkhead bulkhead = new("stress", new BulkheadOptions { MaxConcurrency = null }, new ManualTimeProvider());

        Parallel(Threads, worker =>
        {
            List<BulkheadLease> held = [];
            for (var round = 0; round < 20; round++)
            {
                for (var i = 0; i < 100 + worker; i++)
                {
                    bulkhead.TryEnter(out var lease, out var _).ShouldBeTrue();
                    lease.ShouldNotBe(default);
                    held.Add(lease);
                }

                held.ForEach(lease => bulkhead.Exit(lease, CallOutcome.Succeeded));
                held.Clear();
            }
        });

        bulkhead.Snapshot().InFlight.ShouldBe(0);
    }

    [Theory]
    [InlineData(AdaptiveLimit.Aimd, BulkheadMode.Enforce)]
    [InlineData(AdaptiveLimit.Aimd, BulkheadMode.Shadow)]
    [InlineData(AdaptiveLimit.Gradient2, BulkheadMode.Enforce)]
    public async Task EnterAndExit_WhileTheLimitLearns_ConservesPermitsAndLosesNoWaiter(AdaptiveLimit algorithm, BulkheadMode mode)
    {
        const int Highest = 6;
        ManualTimeProvider time = new();
        BulkheadOptions options = new()
        {
            Adaptive = algorithm,
            Mode = mode,
            MaxConcurrency = Highest,
            InitialConcurrency = 2,
            QueueLength = 2 * Threads,
            QueueTimeout = TimeSpan.FromHours(1),
        };
        Bulkhead bulkhead = new("stress", options, time);
        var inside = 0;
        var most = 0;
        var lowest = Highest;
        var highest = 0;
        using Barrier start = new(Threads);
        var workers = Enumerable.Range(0, Threads).Select(i => Task.Factory.StartNew(
            () => Work(new Random(i)), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default).Unwrap()).ToArray();

        await Task.WhenAll(workers).WaitAsync(TimeSpan.FromSeconds(60));

        most.ShouldBeLessThanOrEqualTo(mode == BulkheadMode.Enforce ? Highest : Threads);
        highest.ShouldBeGreaterThan(lowest, "else the test shows nothing");
        bulkhead.Apply(new BulkheadOptions { MaxConcurrency = 4 });
        (bulkhead.Snapshot() with { Refused = 0 }).ShouldBe(new BulkheadSnapshot { Limit = 4 });
        Enumerable.Range(0, 4).ToList().ForEach(_ => EnterOne(bulkhead));
        bulkhead.TryEnterUncounted(out _).ShouldBeFalse();

        async Task Work(Random random)
        {
            start.SignalAndWait();
            for (var round = 0; round < Rounds; round++)
            {
                var admission = await bulkhead.EnterAsync();
                admission.IsAdmitted.ShouldBeTrue();
                InterlockedMax(ref most, Interlocked.Increment(ref inside));
                time.Advance(TimeSpan.FromMilliseconds(random.Next(1, round % 500 < 250 ? 5 : 50)));
                if (random.Next(3) == 0)
                {
                    await Task.Yield();
                }

                Interlocked.Decrement(ref inside);
                bulkhead.Exit(admission.Lease, random.Next(8) switch { 0 => CallOutcome.Failed, 1 => CallOutcome.Ignored, _ => CallOutcome.Succeeded });
                var limit = bulkhead.Limit;
                limit.ShouldBeInRange(1, Highest);
                InterlockedMax(ref highest, limit);
                lowest = Math.Min(lowest, limit);
            }
        }
    }

    private static BulkheadLease EnterOne(Bulkhead bulkhead)
    {
        bulkhead.TryEnter(out var lease, out _).ShouldBeTrue();
        return lease;
    }

    private static void InterlockedMax(ref int most, int value)
    {
        for (var seen = Volatile.Read(ref most); value > seen; seen = Volatile.Read(ref most))
        {
            Interlocked.CompareExchange(ref most, value, seen);
        }
    }

    private static void Parallel(int threads, Action<int> work)
    {
        List<Exception> errors = [];
        var all = Enumerable.Range(0, threads).Select(i => new Thread(() =>
        {
            try
            {
                work(i);
            }
            catch (Exception error)
            {
                lock (errors)
                {
                    errors.Add(error);
                }
            }
        })).ToList();
        all.ForEach(thread => thread.Start());
        all.ForEach(thread => thread.Join());
        errors.ShouldBeEmpty();
    }
}
