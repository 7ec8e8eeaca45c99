using System.Collections.Concurrent;
using System.Threading.Channels;

namespace ResilientHost.IntegrationTests.Contract;

/// <summary>Items of a channel: at least once, in order per key, poison to the dead letters. Written from the contract alone.</summary>
public sealed class WorkerItemContractTests
{
    private const string Prompt = """{ "Workers": { "Default": { "RestartDelay": "00:00:00", "MaxRestarts": 1000 } } }""";

    private static WorkItemOptions<int> Options(IDeadLetterSink sink, int concurrency = 4, int retries = 2) =>
        new() { Name = "numbers", MaxConcurrency = concurrency, MaxRetries = retries, RetryDelay = TimeSpan.Zero, MaxRetryDelay = TimeSpan.Zero, DeadLetters = sink };

    private static Task<WorkerBench> StartAsync(Func<WorkerContext, CancellationToken, Task> body, string configuration = Prompt) =>
        WorkerBench.StartAsync(configuration, services => services.AddResilientWorker("items", _ => new Bodied(body)), hasManualTime: false);

    private static Channel<int> Filled(int count)
    {
        var channel = Channel.CreateUnbounded<int>();
        for (var i = 0; i < count; i++)
        {
            channel.Writer.TryWrite(i);
        }

        return channel;
    }

    [Fact]
    public async Task Poison_AfterItsAttempts_IsADeadLetterAndTheOthersAreProcessed()
    {
        var (sink, channel, done, attempts) = (new Sink(), Filled(10), new ConcurrentBag<int>(), 0);
        channel.Writer.Complete();
        await using var bench = await StartAsync((context, token) => context.ProcessAsync(channel, (item, _) =>
        {
            if (item == 3)
            {
                Interlocked.Increment(ref attempts);
                throw new FormatException("poison-text");
            }

            done.Add(item);
            return Task.CompletedTask;
        }, Options(sink), token));
        await bench.BecomesAsync("items", WorkerState.Completed);
        done.Order().ShouldBe([0, 1, 2, 4, 5, 6, 7, 8, 9]);
        attempts.ShouldBe(3);
        var letter = sink.Letters.ShouldHaveSingleItem();
        (letter.Worker, letter.Source, letter.Item, letter.Reason, letter.Attempts, letter.ExceptionType, letter.ItemType)
            .ShouldBe(("items", "numbers", "3", DeadLetterReason.Poison, 3, "System.FormatException", "System.Int32"));
        bench.Metrics.Sum(ResilienceDiagnostics.Instruments.DeadLetters, (ResilienceDiagnostics.Tags.DeadLetterReason, "poison")).ShouldBe(1);
        bench.Metrics.Of(ResilienceDiagnostics.Instruments.WorkItemDuration, (ResilienceDiagnostics.Tags.Outcome, "failed")).Count.ShouldBe(3);
        bench.Metrics.Of(ResilienceDiagnostics.Instruments.WorkItemDuration, (ResilienceDiagnostics.Tags.Outcome, "succeeded")).Count.ShouldBe(9);
    }

    [Fact]
    public async Task OrderBy_WithFailuresAndRetries_KeepsTheOrderOfEachKey()
    {
        var (sink, channel, done, failures) = (new Sink(), Filled(400), new ConcurrentQueue<int>(), new ConcurrentDictionary<int, int>());
        channel.Writer.Complete();
        var options = Options(sink, concurrency: 8, retries: 5);
        options.OrderBy = static item => item % 7;
        await using var bench = await StartAsync((context, token) => context.ProcessAsync(channel, async (item, _) =>
        {
            await Task.Yield();
            if (failures.AddOrUpdate(item, 1, static (_, count) => count + 1) <= item * 31 % 4)
            {
                throw new InvalidOperationException("again");
            }

            done.Enqueue(item);
        }, options, token));
        await bench.BecomesAsync("items", WorkerState.Completed);
        done.Count.ShouldBe(400);
        foreach (var lane in done.GroupBy(static item => item % 7))
        {
            lane.ToArray().ShouldBe([.. lane.Order()], $"lane {lane.Key}");
        }

        sink.Letters.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("loop")]
    [InlineData("OrderBy")]
    public async Task Crash_InTheMiddleOfItems_LosesNone(string where)
    {
        var (sink, channel, done, crashes) = (new Sink(), Filled(200), new ConcurrentDictionary<int, int>(), 0);
        channel.Writer.Complete();
        var options = Options(sink);
        if (where == "OrderBy")
        {
            options.OrderBy = item => item % 50 == 25 && Interlocked.Increment(ref crashes) < 6 ? throw new InvalidOperationException("order-flaw") : item % 3;
        }

        await using var bench = await StartAsync(async (context, token) =>
        {
            var crash = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var seen = 0;
            var processing = context.ProcessAsync(channel, async (item, itemToken) =>
            {
                if (where == "loop" && Interlocked.Increment(ref seen) == 30 && Interlocked.Increment(ref crashes) < 5)
                {
                    crash.TrySetException(new InvalidOperationException("loop-flaw"));
                    await Task.Delay(Timeout.Infinite, itemToken);
                }

                await Task.Yield();
                done.AddOrUpdate(item, 1, static (_, count) => count + 1);
            }, options, token);
            await await Task.WhenAny(processing, crash.Task);
        }, """{ "Workers": { "Default": { "RestartDelay": "00:00:00.001", "MaxRestartDelay": "00:00:00.001", "MaxRestarts": 1000 } } }""");
        await bench.BecomesAsync("items", WorkerState.Completed);
        done.Keys.Concat(sink.Letters.Select(static letter => int.Parse(letter.Item, System.Globalization.CultureInfo.InvariantCulture))).Distinct().Count().ShouldBe(200);
        crashes.ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task Sink_ThatFails_IsAskedAgainAndTheItemIsKept()
    {
        var (sink, channel) = (new Sink { Failures = 2 }, Filled(1));
        channel.Writer.Complete();
        await using var bench = await StartAsync((context, token) => context.ProcessAsync(channel, static (_, _) => throw new FormatException("poison"), Options(sink, retries: 0), token));
        await bench.BecomesAsync("items", WorkerState.Completed);
        sink.Letters.Count.ShouldBe(1);
        bench.Metrics.Sum(ResilienceDiagnostics.Instruments.DeadLetterFailures).ShouldBe(1, "one item, whose first try failed");
        bench.Metrics.Sum(ResilienceDiagnostics.Instruments.DeadLetterFailures, (ResilienceDiagnostics.Tags.DeadLetterReason, "poison")).ShouldBe(1, "the README gives it a reason");
    }

    [Fact]
    public async Task ShouldRetry_SaysNoOrThrows_ThereIsOneAttempt()
    {
        var (sink, channel, attempts) = (new Sink(), Filled(2), 0);
        channel.Writer.Complete();
        var options = Options(sink);
        options.ShouldRetry = static exception => exception is FormatException ? false : throw new InvalidOperationException("callback");
        await using var bench = await StartAsync((context, token) => context.ProcessAsync(channel, (item, _) =>
        {
            Interlocked.Increment(ref attempts);
            throw item == 0 ? new FormatException("f") : new TimeoutException("a");
        }, options, token));
        await bench.BecomesAsync("items", WorkerState.Completed);
        (attempts, sink.Letters.Count).ShouldBe((2, 2));
    }

    [Fact]
    public async Task Concurrency_Always_IsBounded()
    {
        var (channel, gate, most, now) = (Filled(30), new Lock(), 0, 0);
        channel.Writer.Complete();
        await using var bench = await StartAsync((context, token) => context.ProcessAsync(channel, async (_, _) =>
        {
            lock (gate)
            {
                most = Math.Max(most, ++now);
            }

            await Task.Delay(5, CancellationToken.None);
            lock (gate)
            {
                now--;
            }
        }, Options(new Sink(), concurrency: 3), token));
        await bench.BecomesAsync("items", WorkerState.Completed);
        most.ShouldBe(3);
    }

    [Fact]
    public async Task Stop_OfTheHost_DrainsAndWhatHangsBecomesADeadLetter()
    {
        var (sink, channel, done, gate) = (new Sink(), Filled(20), new ConcurrentBag<int>(), new Gate());
        await using var bench = await StartAsync((context, token) => context.ProcessAsync(channel, async (item, _) =>
        {
            if (item == 0)
            {
                await gate.PassAsync(CancellationToken.None);
            }

            await Task.Yield();
            done.Add(item);
        }, Options(sink, concurrency: 2), token), """{ "Workers": { "Default": { "StopTimeout": "00:00:01" } } }""");
        await gate.ArrivalAsync();
        await bench.StopAsync();
        done.Order().ShouldBe(Enumerable.Range(1, 19));
        var letter = sink.Letters.ShouldHaveSingleItem();
        (letter.Item, letter.Reason).ShouldBe(("0", DeadLetterReason.Shutdown));
        gate.Open();
    }

    [Fact]
    public async Task Stop_WhileAnItemWaitsForItsRetry_IsNotLost()
    {
        var (sink, channel, tried) = (new Sink(), Filled(3), new Gate());
        var options = Options(sink, concurrency: 3);
        options.RetryDelay = options.MaxRetryDelay = TimeSpan.FromHours(1);
        await using var bench = await StartAsync((context, token) => context.ProcessAsync(channel, (item, itemToken) =>
        {
            _ = tried.PassAsync(itemToken);
            throw new FormatException("retry-later");
        }, options, token), """{ "Workers": { "Default": { "StopTimeout": "00:00:01" } } }""");
        for (var i = 0; i < 3; i++)
        {
            await tried.ArrivalAsync();
        }

        await bench.StopAsync();
        sink.Letters.Select(static letter => letter.Item).Order().ShouldBe(["0", "1", "2"]);
        sink.Letters.ShouldAllBe(static letter => letter.Attempts >= 1 && letter.ExceptionType == "System.FormatException");
    }

    [Fact]
    public async Task Stop_SinkHangs_HostEndsInTimeAndSaysSo()
    {
        var channel = Filled(2);
        await using var bench = await WorkerBench.StartAsync("""{ "Workers": { "Default": { "StopTimeout": "00:00:01" } } }""", services =>
        {
            services.Configure<HostOptions>(static options => options.ShutdownTimeout = TimeSpan.FromSeconds(2));
            services.AddResilientWorker("items", _ => new Bodied(
                (context, token) => context.ProcessAsync(channel, static (_, _) => throw new FormatException("poison"), Options(new HangingSink(), retries: 0), token)));
        }, hasManualTime: false);
        await bench.BecomesAsync("items", WorkerState.Running);
        await WorkerBench.BreatheAsync();
        var stop = Task.Run(bench.StopAsync);
        (await Task.WhenAny(stop, Task.Delay(TimeSpan.FromSeconds(6)))).ShouldBe(stop, string.Join('\n', bench.Logs.Entries.TakeLast(8).Select(static entry => entry.Message)));
        bench.Logs.Entries.ShouldContain(static entry => entry.Level >= LogLevel.Warning && entry.Message.Contains("items", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Handler_CancelsOfItsOwn_CountsAsAnAttempt()
    {
        var (sink, channel, attempts) = (new Sink(), Filled(1), 0);
        channel.Writer.Complete();
        await using var bench = await StartAsync((context, token) => context.ProcessAsync(channel, (_, _) =>
        {
            Interlocked.Increment(ref attempts);
            return Task.FromCanceled(new CancellationToken(canceled: true));
        }, Options(sink), token));
        await bench.BecomesAsync("items", WorkerState.Completed);
        (attempts, sink.Letters.Count).ShouldBe((3, 1));
    }

    [Fact]
    public async Task AttemptTimeout_Over_CountsAsAFailedAttempt()
    {
        var (sink, channel, attempts) = (new Sink(), Filled(1), 0);
        channel.Writer.Complete();
        var options = Options(sink, retries: 1);
        options.AttemptTimeout = TimeSpan.FromMilliseconds(30);
        await using var bench = await StartAsync((context, token) => context.ProcessAsync(channel, async (_, itemToken) =>
        {
            Interlocked.Increment(ref attempts);
            await Task.Delay(Timeout.Infinite, itemToken);
        }, options, token));
        await bench.BecomesAsync("items", WorkerState.Completed);
        (attempts, sink.Letters.Count).ShouldBe((2, 1));
    }

    [Fact]
    public async Task Circuit_Open_RefusalsCostNoAttempts()
    {
        var (sink, channel, failing, done) = (new Sink(), Filled(6), true, 0);
        channel.Writer.Complete();
        await using var bench = await StartAsync((context, token) => context.ProcessAsync(channel, (_, _) =>
        {
            if (Volatile.Read(ref failing))
            {
                Volatile.Write(ref failing, false);
                throw new InvalidOperationException("down");
            }

            Interlocked.Increment(ref done);
            return Task.CompletedTask;
        }, Options(sink, retries: 1), token), """
            {
              "CircuitBreakers": { "warehouse": { "ConsecutiveFailures": 1, "BreakDuration": "00:00:00.300", "BreakJitter": 0 } },
              "Workers": { "Default": { "RestartDelay": "00:00:00", "CircuitBreaker": "warehouse" } }
            }
            """);
        await bench.BecomesAsync("items", WorkerState.Completed);
        (done, sink.Letters.Count).ShouldBe((6, 0));
    }

    [Fact]
    public async Task Options_Invalid_AreAnErrorThatSaysAll()
    {
        var script = new Script();
        await using var bench = await WorkerBench.StartAsync(Prompt, ("a", script));
        var run = await script.NextAsync();
        var error = await Should.ThrowAsync<ArgumentException>(() =>
            run.Context.ProcessAsync(Filled(1), static (_, _) => Task.CompletedTask, new WorkItemOptions<int> { MaxConcurrency = 0, MaxRetries = -1 }, run.Stopping));
        error.Message.ShouldContain("MaxConcurrency");
        error.Message.ShouldContain("MaxRetries");
        await Should.ThrowAsync<ArgumentNullException>(() => run.Context.ProcessAsync(Filled(1), null!, stoppingToken: run.Stopping));
    }

    [Fact]
    public async Task Channel_CompletedWithAnError_IsThrownAfterItsLastItem()
    {
        var (channel, done) = (Filled(5), 0);
        channel.Writer.Complete(new FormatException("broken pipe"));
        var script = new Script();
        await using var bench = await WorkerBench.StartAsync(Prompt, ("a", script));
        var run = await script.NextAsync();
        await Should.ThrowAsync<FormatException>(() => run.Context.ProcessAsync(channel, (_, _) =>
        {
            Interlocked.Increment(ref done);
            return Task.CompletedTask;
        }, Options(new Sink()), run.Stopping).WaitAsync(TestService.Patience));
        done.ShouldBe(5);
    }

    private sealed class Bodied(Func<WorkerContext, CancellationToken, Task> body) : IResilientWorker
    {
        public Task RunAsync(WorkerContext context, CancellationToken stoppingToken) => body(context, stoppingToken);
    }

    private sealed class HangingSink : IDeadLetterSink
    {
        public ValueTask WriteAsync(DeadLetter letter, CancellationToken cancellationToken = default) => new(new TaskCompletionSource().Task);
    }

    private sealed class Sink : IDeadLetterSink
    {
        private readonly ConcurrentQueue<DeadLetter> _letters = [];
        private int _failures;

        public int Failures { init => _failures = value; }

        public ConcurrentQueue<DeadLetter> Letters => _letters;

        public ValueTask WriteAsync(DeadLetter letter, CancellationToken cancellationToken = default)
        {
            if (Interlocked.Decrement(ref _failures) >= 0)
            {
                throw new IOException("disk full");
            }

            _letters.Enqueue(letter);
            return ValueTask.CompletedTask;
        }
    }
}
