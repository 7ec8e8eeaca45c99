using System.Collections.Concurrent;
using System.Threading.Channels;
using ResilientHost.Tests.Workers;

namespace ResilientHost.Tests.WorkItems;

public sealed partial class ProcessAsyncTests : IDisposable
{
    private readonly ItemsUnderTest _under = new();
    private readonly Channel<int> _channel = Channel.CreateUnbounded<int>();
    private readonly ConcurrentQueue<int> _done = new();

    public void Dispose() => _under.Dispose();

    [Fact]
    public async Task Process_CompletedChannel_ReturnsWhenAllIsProcessedInOrder()
    {
        Write(1, 2, 3, 4);
        _channel.Writer.Complete();

        await _under.FinishAsync(_under.BeginRun().ProcessAsync(_channel, Keep));

        _done.ShouldBe([1, 2, 3, 4]);
        _under.Sink.Letters.ShouldBeEmpty();
        _under.Time.ArmedTimers.ShouldBe(0);
    }

    [Fact]
    public async Task Process_EmptyChannel_WaitsAndIsNotSilent()
    {
        var processing = _under.BeginRun().ProcessAsync(_channel.Reader, Keep);
        _under.Time.Advance(TimeSpan.FromHours(1));

        processing.IsCompleted.ShouldBeFalse();
        _under.Worker.Pulse.Silence(_under.Time.GetTimestamp()).ShouldBeNull();

        Write(1);
        _channel.Writer.Complete();
        await _under.FinishAsync(processing);
        _done.ShouldBe([1]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Process_ItemFailsForGood_IsDeadLetterAfterItsRetriesAndOthersGoOn(bool afterAnAwait)
    {
        var attempts = 0;
        Write(1, 2, 3);
        _channel.Writer.Complete();

        await _under.FinishAsync(_under.BeginRun().ProcessAsync(_channel, Handle, new() { Name = "orders", MaxRetries = 2 }));

        attempts.ShouldBe(3);
        _done.ShouldBe([1, 3]);
        var letter = _under.Sink.Letters.ShouldHaveSingleItem();
        letter.Item.ShouldBe("2");
        letter.ItemType.ShouldBe("System.Int32");
        letter.Reason.ShouldBe(DeadLetterReason.Poison);
        letter.Attempts.ShouldBe(3);
        letter.Worker.ShouldBe("importer");
        letter.Source.ShouldBe("orders");
        letter.ExceptionType.ShouldBe("System.FormatException");
        letter.ExceptionMessage.ShouldBe("no");
        _under.Metrics.Of(ResilienceDiagnostics.Instruments.WorkItemDuration, (ResilienceDiagnostics.Tags.Outcome, "failed")).Count.ShouldBe(3);

        Task Handle(int item, CancellationToken token)
        {
            return item == 2 ? Fail() : Keep(item, token);
        }

        Task Fail()
        {
            attempts++;
            return afterAnAwait ? FailLater() : throw new FormatException("no");
        }

        static async Task FailLater()
        {
            await Task.Yield();
            throw new FormatException("no");
        }
    }

    [Fact]
    public async Task Process_OneAfterTheOther_ARetryIsNotOvertaken()
    {
        var failures = 2;
        Write(1, 2, 3);
        _channel.Writer.Complete();

        await _under.FinishAsync(_under.BeginRun().ProcessAsync(_channel, (item, token) =>
            item == 1 && failures-- > 0 ? throw new FormatException() : Keep(item, token)));

        _done.ShouldBe([1, 2, 3]);
    }

    [Fact]
    public async Task Process_HandlerCancelsItself_IsAFailureAsAnyOther()
    {
        Write(1, 2);
        _channel.Writer.Complete();

        await _under.FinishAsync(_under.BeginRun().ProcessAsync(
            _channel, (item, token) => item == 1 ? throw new OperationCanceledException() : Keep(item, token), new() { MaxRetries = 1 }));

        _done.ShouldBe([2]);
        _under.Sink.Letters.ShouldHaveSingleItem().Attempts.ShouldBe(2);
    }

    [Fact]
    public async Task Process_HandlerIsRefused_TriesAgainWithoutCounting()
    {
        var refusals = 7;
        Write(1);
        _channel.Writer.Complete();

        await _under.FinishAsync(_under.BeginRun().ProcessAsync(
            _channel,
            (item, token) => refusals-- > 0 ? throw new RefusedException(new Refusal(RefusalReason.CircuitOpen, "stock", null)) : Keep(item, token),
            new() { MaxRetries = 0 }));

        _done.ShouldBe([1]);
        _under.Sink.Letters.ShouldBeEmpty();
    }

    [Fact]
    public async Task Process_MaxConcurrency_IsReachedAndNeverExceeded()
    {
        var gate = new TaskCompletionSource();
        var running = 0;
        var most = 0;
        Write([.. Enumerable.Range(0, 20)]);
        _channel.Writer.Complete();

        var processing = _under.BeginRun().ProcessAsync(_channel, Handle, new() { MaxConcurrency = 4 });
        await ItemsUnderTest.UntilAsync(() => Volatile.Read(ref running) == 4);
        gate.SetResult();
        await _under.FinishAsync(processing);

        most.ShouldBe(4);
        _done.Count.ShouldBe(20);

        async Task Handle(int item, CancellationToken token)
        {
            var now = Interlocked.Increment(ref running);
            InterlockedMax(ref most, now);
            await gate.Task;
            Interlocked.Decrement(ref running);
            _done.Enqueue(item);
        }
    }

    [Fact]
    public async Task Process_ItemsWaitForTheirRetry_HoldNoPlace()
    {
        var failed = 0;
        Write(1, 2, 3, 4);

        var processing = _under.BeginRun().ProcessAsync(
            _channel, (item, token) => item < 4 ? Fail() : Keep(item, token), new() { MaxConcurrency = 2, MaxRetries = 1, RetryDelay = TimeSpan.FromSeconds(10) });

        // Without time passing: no retry has come.
        await ItemsUnderTest.UntilAsync(() => _done.Count == 1 && Volatile.Read(ref failed) == 3);
        _channel.Writer.Complete();
        await _under.FinishAsync(processing);
        _under.Sink.Items.Order().ShouldBe(["1", "2", "3"]);

        Task Fail()
        {
            Interlocked.Increment(ref failed);
            throw new FormatException();
        }
    }

    [Fact]
    public async Task Process_ShouldRetryThrowsOrSaysNo_IsPoisonAtOnce()
    {
        Write(1, 2);
        _channel.Writer.Complete();

        await _under.FinishAsync(_under.BeginRun().ProcessAsync(
            _channel,
            (item, _) => throw new FormatException(item.ToString()),
            new() { ShouldRetry = exception => exception.Message == "1" ? throw new InvalidOperationException() : false }));

        _under.Sink.Letters.Select(letter => letter.Attempts).ShouldBe([1, 1]);
    }

    [Fact]
    public async Task Process_OrderByThrows_ThatItemIsADeadLetterAndOthersGoOn()
    {
        Write(1, 2, 3);
        _channel.Writer.Complete();

        await _under.FinishAsync(_under.BeginRun().ProcessAsync(
            _channel, Keep, new() { OrderBy = item => item == 2 ? throw new FormatException("no key") : item }));

        _done.Order().ShouldBe([1, 3]);
        var letter = _under.Sink.Letters.ShouldHaveSingleItem();
        letter.Item.ShouldBe("2");
        letter.Attempts.ShouldBe(0);
    }

    [Fact]
    public async Task Process_AttemptTakesTooLong_IsCancelledAndCountsAsFailed()
    {
        Write(1);
        _channel.Writer.Complete();
        var swallowed = 0;

        await _under.FinishAsync(_under.BeginRun().ProcessAsync(_channel, Handle, new() { MaxRetries = 1, AttemptTimeout = TimeSpan.FromSeconds(1) }));

        swallowed.ShouldBe(2);
        _under.Sink.Letters.ShouldHaveSingleItem().ExceptionType.ShouldBe("System.TimeoutException");

        async Task Handle(int item, CancellationToken token)
        {
            var cancelled = new TaskCompletionSource();
            await using var registration = token.UnsafeRegister(_ => cancelled.TrySetResult(), null);
            await cancelled.Task;
            swallowed++;
        }
    }

    [Fact]
    public async Task Process_SinkFails_KeepsTheItemAndTakesNoMoreUntilItIsKept()
    {
        _under.Sink.Refusals = 3;
        var gate = new TaskCompletionSource();
        Write([.. Enumerable.Range(1, 100)]);
        _channel.Writer.Complete();

        var processing = _under.BeginRun().ProcessAsync(_channel, Handle, new() { MaxRetries = 0, MaxConcurrency = 1, OrderBy = item => item });
        await ItemsUnderTest.UntilAsync(() => _under.Sink.Asked == 1 && _under.Time.ArmedTimers > 1);
        gate.SetResult();
        Enumerable.Range(0, 100).ToList().ForEach(_ => Thread.Yield());
        _channel.Reader.Count.ShouldBeGreaterThanOrEqualTo(50, "the intake has stopped");

        await _under.FinishAsync(processing);

        _done.Count.ShouldBe(99);
        _under.Sink.Items.ShouldBe(["1"]);
        _under.Sink.Asked.ShouldBe(4);

        // Once per interval of the storm: how many of those pass between the attempts is a matter of how fast the test lets time run.
        _under.Logs.Entries.Count(log => log.EventId.Name == "DeadLetterNotKept").ShouldBeInRange(1, 3);

        async Task Handle(int item, CancellationToken token)
        {
            if (item == 1)
            {
                throw new FormatException();
            }

            if (item == 50)
            {
                await gate.Task;
            }

            await Keep(item, token);
        }
    }

    [Fact]
    public async Task Process_ChannelCompletedWithAnError_ThrowsItAfterTheLastItem()
    {
        var failures = 1;
        Write(1, 2);
        _channel.Writer.Complete(new InvalidDataException("torn"));

        var processing = _under.BeginRun().ProcessAsync(_channel, (item, token) => item == 2 && failures-- > 0 ? throw new FormatException() : Keep(item, token));

        (await Should.ThrowAsync<InvalidDataException>(_under.FinishAsync(processing))).Message.ShouldBe("torn");
        _done.ShouldBe([1, 2]);
    }

    [Fact]
    public async Task Process_LevelPausesTheWorker_TriesNothingMeanwhile()
    {
        _under.Level.Current = ServiceLevel.Survival;
        Write(1);
        _channel.Writer.Complete();

        var processing = _under.BeginRun().ProcessAsync(_channel, Keep);
        await ItemsUnderTest.UntilAsync(() => _under.Worker.State == WorkerState.Paused);
        _done.ShouldBeEmpty();
        _under.Level.Current = ServiceLevel.Normal;
        await _under.FinishAsync(processing);

        _done.ShouldBe([1]);
    }

    [Fact]
    public async Task Process_ItemThatCannotBeSerialized_IsKeptAsWellAsItCanBe()
    {
        var channel = Channel.CreateUnbounded<Loop>();
        channel.Writer.TryWrite(new Loop());
        channel.Writer.Complete();

        await _under.FinishAsync(_under.BeginRun().ProcessAsync(channel, (_, _) => throw new FormatException(), new() { MaxRetries = 0 }));

        var letter = _under.Sink.Letters.ShouldHaveSingleItem();
        letter.IsTruncated.ShouldBeTrue();
        letter.Item.ShouldContain("a loop");
    }

    [Fact]
    public void Process_InvalidOptions_SaysEveryError()
    {
        var error = Should.Throw<ArgumentException>(() => _under.BeginRun().ProcessAsync(_channel, Keep, new()
        {
            Name = "orders",
            MaxConcurrency = 0,
            MaxRetries = 1001,
            RetryDelay = TimeSpan.FromSeconds(-1),
            RetryBackoff = 0.5,
            MaxRetryDelay = TimeSpan.FromDays(2),
            RetryJitter = double.NaN,
            AttemptTimeout = TimeSpan.Zero,
        }));

        error.Message.ShouldStartWith(
            "Work items 'orders': MaxConcurrency must be between 1 and 10000 items, but is 0. "
            + "Work items 'orders': MaxRetries must be between 0 and 1000 retries, but is 1001. "
            + "Work items 'orders': RetryDelay must be between 0 s and 86400 s, but is -1 s. "
            + "Work items 'orders': RetryBackoff must be between 1 and 100, but is 0.5. "
            + "Work items 'orders': MaxRetryDelay must be at least RetryDelay (-1 s) and at most 86400 s, but is 172800 s. "
            + "Work items 'orders': RetryJitter must be between 0 and 1, but is NaN. "
            + "Work items 'orders': AttemptTimeout must be between 0.001 s and 86400 s, or null for as long as it takes, but is 0 s.");
    }

    private static void InterlockedMax(ref int most, int value)
    {
        for (var seen = Volatile.Read(ref most); value > seen; seen = Volatile.Read(ref most))
        {
            Interlocked.CompareExchange(ref most, value, seen);
        }
    }

    private void Write(params ReadOnlySpan<int> items)
    {
        foreach (var item in items)
        {
            _channel.Writer.TryWrite(item).ShouldBeTrue();
        }
    }

    private Task Keep(int item, CancellationToken token)
    {
        _done.Enqueue(item);
        return Task.CompletedTask;
    }

    private sealed class Loop
    {
        public Loop Self => this;

        public override string ToString() => "a loop";
    }
}
