using System.Collections.Concurrent;
using System.Threading.Channels;

namespace ResilientHost.Tests.WorkItems;

public sealed partial class ProcessAsyncTests
{
    [Fact]
    public async Task Stop_ForARestart_NextRunBeginsWithWhatWasNotFinished()
    {
        var entered = new TaskCompletionSource();
        Write(1, 2, 3, 4);
        var first = _under.BeginRun().ProcessAsync(_channel, Hang, new() { MaxConcurrency = 2 });
        await entered.Task;
        _under.EndRun();
        await Should.ThrowAsync<OperationCanceledException>(_under.FinishAsync(first));
        _done.ShouldBeEmpty();

        _channel.Writer.Complete();
        await _under.FinishAsync(_under.BeginRun().ProcessAsync(_channel, Keep));

        _done.ShouldBe([1, 2, 3, 4]);
        _under.Sink.Letters.ShouldBeEmpty();

        async Task Hang(int item, CancellationToken token)
        {
            if (item == 2)
            {
                entered.SetResult();
            }

            await ItemsUnderTest.ForeverAsync(token);
        }
    }

    [Fact]
    public async Task Stop_BetweenRetries_NextRunGoesOnCounting()
    {
        var attempts = 0;
        Write(1);
        var options = new WorkItemOptions<int> { MaxRetries = 2, RetryDelay = TimeSpan.FromHours(1), MaxRetryDelay = TimeSpan.FromHours(1) };
        var first = _under.BeginRun().ProcessAsync(_channel, Fail, options);
        await ItemsUnderTest.UntilAsync(() => _under.Time.ArmedTimers > 0 && Volatile.Read(ref attempts) == 1);
        _under.EndRun();
        await Should.ThrowAsync<OperationCanceledException>(first);

        _channel.Writer.Complete();
        var second = _under.BeginRun().ProcessAsync(_channel, Fail, options);
        await ItemsUnderTest.UntilAsync(() => Volatile.Read(ref attempts) == 2);
        _under.Time.Advance(TimeSpan.FromMinutes(59));
        await ItemsUnderTest.UntilAsync(() => _under.Time.ArmedTimers > 0);
        await _under.FinishAsync(AdvanceHours(second));

        attempts.ShouldBe(3);
        _under.Sink.Letters.ShouldHaveSingleItem().Attempts.ShouldBe(3);

        Task Fail(int item, CancellationToken token)
        {
            Interlocked.Increment(ref attempts);
            throw new FormatException();
        }

        async Task AdvanceHours(Task processing)
        {
            while (!processing.IsCompleted)
            {
                _under.Time.Advance(TimeSpan.FromHours(1));
                await Task.Yield();
            }

            await processing;
        }
    }

    [Fact]
    public async Task Stop_WhileTheSinkFails_NextRunWritesTheLetterAndTriesNoMore()
    {
        var attempts = 0;
        _under.Sink.Refusals = int.MaxValue;
        Write(1);
        var first = _under.BeginRun().ProcessAsync(_channel, Fail, new() { MaxRetries = 3, ShouldRetry = _ => false });
        await ItemsUnderTest.UntilAsync(() => _under.Sink.Asked > 0);
        _under.EndRun();
        await Should.ThrowAsync<OperationCanceledException>(_under.FinishAsync(first));

        _under.Sink.Refusals = 0;
        _channel.Writer.Complete();
        await _under.FinishAsync(_under.BeginRun().ProcessAsync(_channel, Fail));

        attempts.ShouldBe(1);
        _under.Sink.Letters.ShouldHaveSingleItem().ExceptionType.ShouldBe("System.FormatException");

        Task Fail(int item, CancellationToken token)
        {
            Interlocked.Increment(ref attempts);
            throw new FormatException();
        }
    }

    [Fact]
    public async Task Stop_ItemDoesNotEnd_NextRunWaitsForItAndThenGoesOnWithOtherKeys()
    {
        var gate = new TaskCompletionSource();
        var entered = new TaskCompletionSource();
        Write(10, 11, 12);
        var options = new WorkItemOptions<int> { MaxConcurrency = 4, OrderBy = item => item % 2 };
        var first = _under.BeginRun().ProcessAsync(_channel, Hang, options);
        await entered.Task;
        await ItemsUnderTest.UntilAsync(() => _done.Contains(11));
        _under.EndRun();

        Write(13);
        var second = _under.BeginRun().ProcessAsync(_channel, Keep, options);
        for (var look = 0; look < 100; look++)
        {
            await Task.Yield();
        }

        _done.ShouldBe([11]);
        await ItemsUnderTest.UntilAsync(() =>
        {
            // As often as it takes: nobody can tell from outside when it has begun to wait.
            _under.Time.Advance(TimeSpan.FromSeconds(1));
            return _done.Contains(13);
        });
        _done.ShouldBe([11, 13]);

        gate.SetResult();
        await ItemsUnderTest.UntilAsync(() => _done.Contains(12));
        await Should.ThrowAsync<OperationCanceledException>(first);
        _channel.Writer.Complete();
        await _under.FinishAsync(second);
        _done.ShouldBe([11, 13, 10, 12]);

        async Task Hang(int item, CancellationToken token)
        {
            if (item == 10)
            {
                entered.SetResult();
                await gate.Task;
            }

            _done.Enqueue(item);
        }
    }

    [Fact]
    public async Task Stop_ItemThatDidNotEndFailsAtLast_IsProcessedBeforeOthersOfItsKey()
    {
        var gate = new TaskCompletionSource();
        var entered = new TaskCompletionSource();
        Write(10, 12);
        var options = new WorkItemOptions<int> { MaxConcurrency = 4, OrderBy = item => item % 2 };
        var first = _under.BeginRun().ProcessAsync(_channel, Hang, options);
        await entered.Task;
        _under.EndRun();
        var second = _under.BeginRun().ProcessAsync(_channel, Keep, options);
        await ItemsUnderTest.UntilAsync(() => _under.Time.ArmedTimers > 0);
        _under.Time.Advance(TimeSpan.FromSeconds(10));
        Write(11);
        await ItemsUnderTest.UntilAsync(() => _done.Contains(11));

        gate.SetException(new IOException());
        _channel.Writer.Complete();
        await _under.FinishAsync(second);

        _done.ShouldBe([11, 10, 12]);
        await Should.ThrowAsync<OperationCanceledException>(first);

        Task Hang(int item, CancellationToken token)
        {
            entered.TrySetResult();
            return gate.Task;
        }
    }

    [Fact]
    public async Task Stop_OfTheHost_DrainsTheChannel()
    {
        var gate = new TaskCompletionSource();
        var entered = new TaskCompletionSource();
        Write([.. Enumerable.Range(0, 1000)]);
        var processing = _under.BeginRun().ProcessAsync(_channel, Handle);
        await entered.Task;
        _under.StopHost();
        gate.SetResult();

        await Should.ThrowAsync<OperationCanceledException>(processing);

        _done.Count.ShouldBe(1000);
        _under.Sink.Letters.ShouldBeEmpty();

        async Task Handle(int item, CancellationToken token)
        {
            entered.TrySetResult();
            await gate.Task;
            _done.Enqueue(item);
        }
    }

    [Fact]
    public async Task Stop_OfTheHostBeforeAllIsDone_MakesDeadLettersOfWhatIsLeft()
    {
        var entered = new TaskCompletionSource();
        Write(1, 2, 3);
        var processing = _under.BeginRun().ProcessAsync(_channel, Hang);
        await entered.Task;
        _under.StopHost();
        await ItemsUnderTest.UntilAsync(() => _under.Time.ArmedTimers == 2);

        _under.Time.Advance(TimeSpan.FromSeconds(7.9));
        _under.Sink.Letters.ShouldBeEmpty();
        _under.Time.Advance(TimeSpan.FromSeconds(0.1));
        await Should.ThrowAsync<OperationCanceledException>(processing);

        _under.Sink.Items.Order().ShouldBe(["1", "2", "3"]);
        _under.Sink.Letters.ShouldAllBe(letter => letter.Reason == DeadLetterReason.Shutdown);
        await _under.HostStoppedAsync();
        _under.Sink.Letters.Count.ShouldBe(3);

        async Task Hang(int item, CancellationToken token)
        {
            entered.TrySetResult();
            await ItemsUnderTest.ForeverAsync(token);
        }
    }

    [Fact]
    public async Task Stop_OfTheHostWhileAHandlerHangs_EndsInTimeAndLosesNothing()
    {
        var gate = new TaskCompletionSource();
        var entered = new TaskCompletionSource();
        Write(1, 2);
        var began = _under.Time.GetTimestamp();
        var processing = _under.BeginRun().ProcessAsync(_channel, (_, _) =>
        {
            entered.TrySetResult();
            return gate.Task;
        });
        await entered.Task;
        _under.StopHost();
        await ItemsUnderTest.UntilAsync(() => _under.Time.ArmedTimers == 2);
        _under.Time.Advance(TimeSpan.FromSeconds(8));
        _under.Time.Advance(TimeSpan.FromSeconds(1));
        await Should.ThrowAsync<OperationCanceledException>(processing);

        TimeSpan.FromTicks(_under.Time.GetTimestamp() - began).ShouldBeLessThan(TimeSpan.FromSeconds(10));
        _under.Sink.Items.Order().ShouldBe(["1", "2"]);
        gate.SetResult();
    }

    [Fact]
    public async Task HostStopped_AfterAWorkerThatFailedForGood_LeavesItemsInTheDeadLetters()
    {
        Write(1, 2, 3);
        var entered = new TaskCompletionSource();
        var processing = _under.BeginRun().ProcessAsync(_channel, (_, token) =>
        {
            entered.TrySetResult();
            return ItemsUnderTest.ForeverAsync(token);
        });
        await entered.Task;
        _under.EndRun();
        await Should.ThrowAsync<OperationCanceledException>(processing);
        Write(4);

        await _under.HostStoppedAsync();

        _under.Sink.Items.ShouldBe(["1", "2", "3", "4"]);
        _under.Logs.Entries.Select(log => log.EventId.Name).ShouldContain("WorkItemsLeftAtShutdown");
    }

    [Fact]
    public async Task HostStopped_SinkFailsToTheEnd_SaysWhatIsLost()
    {
        _under.Sink.Refusals = int.MaxValue;
        Write(1);
        var processing = _under.BeginRun().ProcessAsync(_channel, (_, token) => ItemsUnderTest.ForeverAsync(token));
        _under.EndRun();
        await Should.ThrowAsync<OperationCanceledException>(processing);

        using var outOfTime = new CancellationTokenSource();
        await outOfTime.CancelAsync();
        await _under.FinishAsync(_under.HostStoppedAsync(outOfTime.Token));

        _under.Logs.Entries.Select(log => log.EventId.Name).ShouldContain("WorkItemsLost");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Process_RandomFailuresAndRestarts_EachItemIsProcessedOrDeadAndKeysKeepTheirOrder(int seed)
    {
        const int Items = 10_000;
        var random = new Random(seed);
        var channel = Channel.CreateBounded<int>(64);
        var options = new WorkItemOptions<int> { MaxConcurrency = 8, MaxRetries = 2, RetryDelay = TimeSpan.FromMilliseconds(seed == 1 ? 0 : 1), OrderBy = item => item % 37 };
        var plan = Enumerable.Range(0, Items).Select(_ => random.Next(100) switch { < 90 => 0, < 97 => random.Next(1, 3), _ => int.MaxValue }).ToArray();
        var failed = new int[Items];
        var running = new int[Items];
        var last = Enumerable.Repeat(-1, 37).ToArray();
        var wrong = new ConcurrentQueue<string>();
        var producer = Task.Run(async () =>
        {
            for (var item = 0; item < Items; item++)
            {
                await channel.Writer.WriteAsync(item);
            }

            channel.Writer.Complete();
        });

        for (var isDone = false; !isDone;)
        {
            var processing = _under.BeginRun().ProcessAsync(channel, Handle, options);
            var before = _done.Count;
            var until = before + random.Next(200, 2000);
            while (!processing.IsCompleted && _done.Count < until)
            {
                _under.Time.Advance(TimeSpan.FromMilliseconds(1));
                await Task.Yield();
            }

            _under.EndRun();
            try
            {
                await _under.FinishAsync(processing);
                isDone = true;
            }
            catch (OperationCanceledException)
            {
                // The next run goes on.
            }
        }

        await producer;
        wrong.ShouldBeEmpty();
        var dead = _under.Sink.Items.Select(int.Parse).ToList();
        _done.Concat(dead).Order().ShouldBe(Enumerable.Range(0, Items));
        dead.Order().ShouldBe(Enumerable.Range(0, Items).Where(item => plan[item] == int.MaxValue));
        failed.Where((count, item) => plan[item] == int.MaxValue ? count < 3 : count != plan[item]).ShouldBeEmpty();

        async Task Handle(int item, CancellationToken token)
        {
            if (Interlocked.Increment(ref running[item]) != 1)
            {
                wrong.Enqueue($"{item} twice at once");
            }

            try
            {
                if (item % 3 == 0)
                {
                    await Task.Yield();
                }

                if (failed[item] < plan[item])
                {
                    failed[item]++;
                    throw new FormatException();
                }

                if (last[item % 37] >= item)
                {
                    wrong.Enqueue($"{item} after {last[item % 37]}");
                }

                last[item % 37] = item;
                _done.Enqueue(item);
            }
            finally
            {
                Interlocked.Decrement(ref running[item]);
            }
        }
    }
}
