using ResilientHost.Fallbacks;

namespace ResilientHost.Tests.Fallbacks;

/// <summary>Stores that are not ours: behind them a request neither fails nor waits.</summary>
public sealed class StaleResponsesTests
{
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Read_StoreThrows_IsAMissAndLoggedOncePerInterval()
    {
        using var endpoint = new StaleEndpoint(new ScriptedStore(static _ => throw new InvalidOperationException("down")));
        for (var i = 0; i < 100; i++)
        {
            (await endpoint.Stale(StaleEndpoint.Request())).ShouldBeNull();
        }

        var entry = endpoint.Logs.Entries.ShouldHaveSingleItem();
        entry.EventId.Id.ShouldBe(1220);
        entry.Exception.ShouldBeOfType<InvalidOperationException>();
        endpoint.Time.Advance(TimeSpan.FromSeconds(10));
        await endpoint.Stale(StaleEndpoint.Request());
        endpoint.Logs.Entries.Count.ShouldBe(2);
        endpoint.Logs.Entries[1].ValueOf("More").ShouldBe(99L);
    }

    [Fact]
    public async Task Read_StoreFailsLater_IsAMiss()
    {
        using var endpoint = new StaleEndpoint(new ScriptedStore(static async _ =>
        {
            await Task.Yield();
            throw new InvalidOperationException("down");
        }));

        (await endpoint.Stale(StaleEndpoint.Request())).ShouldBeNull();
    }

    [Fact]
    public async Task Read_StoreHangs_EndsWithItsTime()
    {
        var hangs = new TaskCompletionSource<StaleResponse?>();
        var store = new ScriptedStore(_ => hangs.Task);
        using var endpoint = new StaleEndpoint(store);
        for (var i = 0; i < StaleResponses.MaxAbandonedReads + 10; i++)
        {
            using var time = new CancellationTokenSource();
            var (read, asked) = (endpoint.Stale(StaleEndpoint.Request(), time.Token), i + 1);
            if (asked <= StaleResponses.MaxAbandonedReads)
            {
                SpinWait.SpinUntil(() => store.Gets == asked, Soon).ShouldBeTrue();
            }

            await time.CancelAsync();
            (await read.WaitAsync(Soon)).ShouldBeNull();
        }

        store.Gets.ShouldBe(StaleResponses.MaxAbandonedReads);
        endpoint.Logs.Entries.ShouldHaveSingleItem().ValueOf("Reason").ShouldBe("timeout");
        hangs.SetException(new InvalidOperationException("at last"));
        for (var i = 0; i < 10_000 && store.Gets == StaleResponses.MaxAbandonedReads; i++)
        {
            (await endpoint.Stale(StaleEndpoint.Request())).ShouldBeNull();
            await Task.Yield();
        }

        store.Gets.ShouldBe(StaleResponses.MaxAbandonedReads + 1);
    }

    [Fact]
    public async Task Read_StoreBlocks_EndsWithItsTime()
    {
        using var gate = new ManualResetEventSlim();
        using var endpoint = new StaleEndpoint(new ScriptedStore(_ =>
        {
            gate.Wait(Soon, CancellationToken.None);
            return Task.FromResult<StaleResponse?>(null);
        }));
        using var time = new CancellationTokenSource();
        var read = endpoint.Stale(StaleEndpoint.Request(), time.Token);
        await time.CancelAsync();

        (await read.WaitAsync(Soon)).ShouldBeNull();
        gate.Set();
    }

    [Fact]
    public async Task Read_ClientGone_IsNoFailureOfTheStore()
    {
        using var endpoint = new StaleEndpoint(new ScriptedStore(static token => Task.FromCanceled<StaleResponse?>(token)));
        var context = StaleEndpoint.Request();
        context.RequestAborted = new CancellationToken(canceled: true);

        (await endpoint.Stale(context, context.RequestAborted)).ShouldBeNull();
        endpoint.Logs.Entries.ShouldBeEmpty();
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(100, true)]
    [InlineData(100.1, false)]
    [InlineData(-5, true)]
    [InlineData(-5.1, false)]
    [InlineData(-100_000_000, false)]
    public async Task Read_ForeignStore_IsJudgedByItsTime(double age, bool isServed)
    {
        var store = new DictionaryStore();
        using var endpoint = new StaleEndpoint(store);
        store.Entries[endpoint.Fallback.KeyOf(StaleEndpoint.Request())] = new(endpoint.Time.GetUtcNow() - TimeSpan.FromSeconds(age), [], "good"u8.ToArray(), []);

        var answer = await endpoint.Fallback.FindAsync(StaleEndpoint.Request(), CancellationToken.None);

        (answer is not null).ShouldBe(isServed);
        (answer?.Age ?? TimeSpan.Zero).ShouldBeGreaterThanOrEqualTo(TimeSpan.Zero);
    }

    [Fact]
    public async Task Write_ForeignStore_IsMadeOffTheRequest()
    {
        var kept = new TaskCompletionSource<StaleResponse>();
        using var endpoint = new StaleEndpoint(new ScriptedStore(static _ => Task.FromResult<StaleResponse?>(null), (response, _) =>
        {
            kept.SetResult(response);
            return Task.CompletedTask;
        }));

        endpoint.Answer(StaleEndpoint.Request()).ShouldBeTrue();

        (await kept.Task.WaitAsync(Soon)).Body.ToArray().ShouldBe("good"u8.ToArray());
    }

    [Fact]
    public async Task Write_StoreThrows_IsCountedAndTheNextIsTried()
    {
        var (calls, second) = (0, new TaskCompletionSource());
        using var endpoint = new StaleEndpoint(new ScriptedStore(static _ => Task.FromResult<StaleResponse?>(null), (_, _) =>
        {
            if (Interlocked.Increment(ref calls) == 1)
            {
                throw new InvalidOperationException("down");
            }

            second.SetResult();
            return Task.CompletedTask;
        }));

        endpoint.Answer(StaleEndpoint.Request("?a"));
        endpoint.Answer(StaleEndpoint.Request("?b"));

        await second.Task.WaitAsync(Soon);
        endpoint.Responses.LostWrites.ShouldBe(1);
        endpoint.Logs.Entries.ShouldHaveSingleItem().EventId.Id.ShouldBe(1221);
    }

    [Fact]
    public async Task Write_StoreHangs_QueueIsBoundedAndRequestsGoOn()
    {
        var (entered, hangs) = (new TaskCompletionSource(), new TaskCompletionSource());
        using var endpoint = new StaleEndpoint(new ScriptedStore(static _ => Task.FromResult<StaleResponse?>(null), (_, _) =>
        {
            entered.TrySetResult();
            return hangs.Task;
        }));
        endpoint.Answer(StaleEndpoint.Request("?first"));
        await entered.Task.WaitAsync(Soon);

        for (var i = 0; i < StaleWriteQueue.MaxWrites + 10; i++)
        {
            endpoint.Answer(StaleEndpoint.Request($"?{i}")).ShouldBeTrue();
        }

        endpoint.Responses.LostWrites.ShouldBe(10);
        hangs.SetResult();
    }

    [Fact]
    public async Task Write_LargeResponses_AreBoundedByBytes()
    {
        const int Size = 6 * 1024 * 1024;
        var (entered, hangs) = (new TaskCompletionSource(), new TaskCompletionSource());
        var store = new ScriptedStore(static _ => Task.FromResult<StaleResponse?>(null), (_, _) =>
        {
            entered.TrySetResult();
            return hangs.Task;
        });
        using var endpoint = new StaleEndpoint(store);
        var response = new StaleResponse(endpoint.Time.GetUtcNow(), [], new byte[Size], []);
        for (var i = 0; i < 5; i++)
        {
            endpoint.Responses.Set($"{i}", response, StaleEndpoint.MaxAge);
        }

        endpoint.Responses.LostWrites.ShouldBe(3);
        await entered.Task.WaitAsync(Soon);
        hangs.SetResult();
    }

    [Fact]
    public void Write_StoreIgnoresItsCancellation_IsLeftAloneUntilOneEnds()
    {
        var (calls, hangs) = (0, new TaskCompletionSource());
        using var endpoint = new StaleEndpoint(new ScriptedStore(static _ => Task.FromResult<StaleResponse?>(null), (_, _) =>
        {
            Interlocked.Increment(ref calls);
            return hangs.Task;
        }));
        for (var i = 0; i < 10; i++)
        {
            endpoint.Answer(StaleEndpoint.Request($"?{i}"));
        }

        // A write arms its limit before it asks the store.
        var expired = 0;
        SpinWait.SpinUntil(
            () =>
            {
                if (Volatile.Read(ref calls) > expired)
                {
                    expired++;
                    endpoint.Time.Advance(StaleWriteQueue.WriteTimeout);
                }

                return endpoint.Responses.LostWrites == 10;
            },
            Soon).ShouldBeTrue();

        calls.ShouldBe(StaleWriteQueue.MaxAbandoned);
        hangs.SetResult();
        SpinWait.SpinUntil(
            () =>
            {
                endpoint.Time.Advance(StaleEndpoint.MaxAge);
                endpoint.Answer(StaleEndpoint.Request("?0"));
                return Volatile.Read(ref calls) > StaleWriteQueue.MaxAbandoned;
            },
            Soon).ShouldBeTrue();
    }

    [Fact]
    public async Task Dispose_WhileAWriteHangs_CancelsItAndSaysNothing()
    {
        var (entered, cancelled) = (new TaskCompletionSource(), new TaskCompletionSource());
        var endpoint = new StaleEndpoint(new ScriptedStore(static _ => Task.FromResult<StaleResponse?>(null), async (_, token) =>
        {
            await using var registration = token.Register(cancelled.SetResult);
            entered.SetResult();
            await cancelled.Task;
        }));
        endpoint.Answer(StaleEndpoint.Request());
        await entered.Task.WaitAsync(Soon);

        endpoint.Dispose();

        await cancelled.Task.WaitAsync(Soon);
        endpoint.Logs.Entries.ShouldBeEmpty();
        endpoint.Time.ArmedTimers.ShouldBeLessThanOrEqualTo(1);
    }
}
