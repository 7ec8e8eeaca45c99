using Polly.Timeout;
using ResilientHost.Propagation;

namespace ResilientHost.Tests.Caching;

public sealed class ResilientCacheFlightTests
{
    [Fact]
    public async Task Read_ByThousandAtOnceOfAColdKey_CallsTheFactoryOnce()
    {
        using var host = new CacheUnderTest();
        var source = new Source().Hold();
        var reads = Enumerable.Range(0, 1000).Select(_ => Task.Run(() => host.ReadAsync(source).AsTask())).ToList();
        await source.Called;
        source.Open();

        (await Task.WhenAll(reads)).ShouldAllBe(value => value == "v");
        source.Calls.ShouldBe(1);
        host.Core.IsIdle.ShouldBeTrue();
        host.Time.ArmedTimers.ShouldBe(0);
    }

    [Fact]
    public async Task Read_OfAFreshValue_AsksNobody()
    {
        using var host = new CacheUnderTest();
        var source = new Source();
        await host.ReadAsync(source);
        var read = host.ReadAsync(source);

        read.IsCompletedSuccessfully.ShouldBeTrue();
        (await read).ShouldBe("v");
        source.Calls.ShouldBe(1);
        host.Reads.ShouldBe(["miss", "hit"]);
    }

    [Fact]
    public async Task Read_CancelledByOneReader_LeavesTheOthersAlone()
    {
        using var host = new CacheUnderTest();
        using var caller = new CancellationTokenSource();
        var source = new Source().Hold();
        var patient = host.ReadAsync(source).AsTask();
        await source.Called;
        var impatient = host.ReadAsync(source, cancellationToken: caller.Token).AsTask();
        await caller.CancelAsync();

        (await Should.ThrowAsync<OperationCanceledException>(impatient)).CancellationToken.ShouldBe(caller.Token);
        source.Token.IsCancellationRequested.ShouldBeFalse();
        source.Open();
        (await patient).ShouldBe("v");
        source.Calls.ShouldBe(1);
    }

    [Fact]
    public async Task Read_CancelledByTheLastReader_CancelsTheFactoryAndTheNextStartsAnew()
    {
        using var host = new CacheUnderTest();
        using var caller = new CancellationTokenSource();
        var source = new Source().Hold();
        var read = host.ReadAsync(source, cancellationToken: caller.Token).AsTask();
        await source.Called;
        await caller.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(read);

        await CacheUnderTest.UntilAsync(() => source.Token.IsCancellationRequested);
        (await host.ReadAsync(new Source("new"))).ShouldBe("new");
        host.Core.IsIdle.ShouldBeTrue();
    }

    [Fact]
    public async Task Read_WithACancelledToken_CallsNothing()
    {
        using var host = new CacheUnderTest();
        var source = new Source();

        await Should.ThrowAsync<OperationCanceledException>(host.ReadAsync(source, cancellationToken: new CancellationToken(true)).AsTask());
        source.Calls.ShouldBe(0);
    }

    [Fact]
    public async Task Read_WhoseFactoryThrows_ThrowsThatToAllAndKeepsNothing()
    {
        using var host = new CacheUnderTest();
        var source = new Source { Failure = new InvalidOperationException("down") }.Hold();
        var reads = Enumerable.Range(0, 10).Select(_ => host.ReadAsync(source).AsTask()).ToList();
        await source.Called;
        source.Open();

        foreach (var read in reads)
        {
            (await Should.ThrowAsync<InvalidOperationException>(read)).Message.ShouldBe("down");
        }

        source.Calls.ShouldBe(1);
        source.Failure = null;
        (await host.ReadAsync(source)).ShouldBe("v");
        host.Reads.Count(read => Equals(read, "failed")).ShouldBe(10);
    }

    [Fact]
    public async Task Read_WhoseFactoryBlocksAndHeedsNoToken_EndsAtTheHardTimeout()
    {
        using var host = new CacheUnderTest(options => options.HardTimeout = TimeSpan.FromSeconds(2));
        using var blocked = new ManualResetEventSlim();
        var called = new TaskCompletionSource();
        var read = host.Cache.GetOrCreateAsync("k", _ =>
        {
            called.SetResult();
            blocked.Wait(CancellationToken.None);
            return ValueTask.FromResult("late");
        }).AsTask();
        await called.Task.WaitAsync(CacheUnderTest.Patience);
        host.Time.Advance(TimeSpan.FromSeconds(2));

        (await Should.ThrowAsync<TimeoutRejectedException>(read)).Message.ShouldBe("The factory of a key of cache 'default' did not end within 2 s.");
        blocked.Set();
        (await host.ReadAsync(new Source("new"))).ShouldBe("new");
    }

    [Fact]
    public async Task Read_OfItsOwnKeyInTheFactory_SaysSoInsteadOfWaitingForItself()
    {
        using var host = new CacheUnderTest();

        (await Should.ThrowAsync<InvalidOperationException>(async () =>
            await host.Cache.GetOrCreateAsync("k", async token => await host.Cache.GetOrCreateAsync("k", _ => ValueTask.FromResult("v"), cancellationToken: token)))).Message
            .ShouldBe("The factory of a key of cache 'default' reads that same key, and would wait for itself.");
        host.Core.IsIdle.ShouldBeTrue();
    }

    [Fact]
    public async Task Read_OfAnotherKeyInTheFactory_NeedsNoSecondPlace()
    {
        using var host = new CacheUnderTest(options => options.MaxConcurrentFactories = 1);

        (await host.Cache.GetOrCreateAsync("outer", async token => await host.Cache.GetOrCreateAsync("inner", _ => ValueTask.FromResult("v"), cancellationToken: token))).ShouldBe("v");
    }

    [Fact]
    public async Task Read_BeyondMaxConcurrentFactories_WaitsForAPlaceUnderItsTimeout()
    {
        using var host = new CacheUnderTest(options => (options.MaxConcurrentFactories, options.HardTimeout) = (1, TimeSpan.FromSeconds(2)));
        var first = new Source().Hold();
        var second = new Source();
        var running = host.ReadAsync(first, "a").AsTask();
        await first.Called;
        var waiting = host.ReadAsync(second, "b").AsTask();
        await CacheUnderTest.UntilAsync(() => host.Time.ArmedTimers == 2);
        second.Calls.ShouldBe(0);
        first.Open();

        (await waiting).ShouldBe("v");
        await running;
        second.Calls.ShouldBe(1);
    }

    [Fact]
    public async Task Read_OfAnotherTypeOfTheSameKey_GetsItsOwn()
    {
        using var host = new CacheUnderTest();
        (await host.ReadAsync(new Source())).ShouldBe("v");

        (await host.Cache.GetOrCreateAsync("k", _ => ValueTask.FromResult(42))).ShouldBe(42);
        (await host.Cache.GetOrCreateAsync("k", _ => ValueTask.FromResult(43))).ShouldBe(42);
    }

    [Fact]
    public async Task Read_OfAValueThatCanBeChanged_GivesEachReaderACopy()
    {
        using var host = new CacheUnderTest();
        var made = new List<string> { "a" };
        (await host.Cache.GetOrCreateAsync("k", _ => ValueTask.FromResult(made))).Add("mine");
        made.Add("later");
        var second = await host.Cache.GetOrCreateAsync("k", _ => ValueTask.FromResult(made));
        second.Add("mine too");

        (await host.Cache.GetOrCreateAsync("k", _ => ValueTask.FromResult(made))).ShouldBe(["a"]);
    }

    [Fact]
    public async Task Read_OfATupleAndBytes_GivesThemBackWhole()
    {
        using var host = new CacheUnderTest();
        for (var i = 0; i < 2; i++)
        {
            (await host.Cache.GetOrCreateAsync("tuple", _ => ValueTask.FromResult(("a", 1)))).ShouldBe(("a", 1));
            (await host.Cache.GetOrCreateAsync("bytes", _ => ValueTask.FromResult(new byte[] { 1, 2 }))).ShouldBe([1, 2]);
        }
    }

    [Fact]
    public async Task Read_OfAValueThatCannotBeSerialized_GivesItAndKeepsNothing()
    {
        using var host = new CacheUnderTest();
        var calls = 0;
        for (var i = 0; i < 2; i++)
        {
            (await host.Cache.GetOrCreateAsync<Func<int>>("k", _ => ValueTask.FromResult<Func<int>>(() => ++calls)))();
        }

        calls.ShouldBe(2);
        host.Logs.Entries.ShouldContain(log => log.EventId.Id == 2706);
    }

    [Fact]
    public async Task Read_SwitchedOff_AsksTheFactoryEachTimeOneAtATimeAndComesBackWithoutOldValues()
    {
        using var host = new CacheUnderTest();
        await host.Cache.SetAsync("k", "old");
        host.Configure(options => options.Enabled = false);
        await host.Cache.SetAsync("k", "never kept");
        var source = new Source().Hold();
        var reads = new[] { host.ReadAsync(source).AsTask(), host.ReadAsync(source).AsTask() };
        await source.Called;
        source.Open();
        await Task.WhenAll(reads);
        source.Calls.ShouldBe(1);
        await host.ReadAsync(source);
        source.Calls.ShouldBe(2);

        host.Configure(_ => { });
        (await host.ReadAsync(new Source("new"))).ShouldBe("new");
    }

    [Fact]
    public async Task Factory_OfAReaderWhoseTimeIsNearlyOver_IsNotBoundByItsDeadline()
    {
        using var host = new CacheUnderTest();
        var reader = new InboundCall { Criticality = Criticality.Sheddable, Attempt = 2 };
        reader.BeginEndpoint(5);
        InboundCall.Current = reader;
        InboundCall? seen = null;
        await host.Cache.GetOrCreateAsync("k", _ =>
        {
            seen = InboundCall.Current;
            return ValueTask.FromResult("v");
        });

        seen.ShouldNotBeNull();
        (seen.Deadline, seen.HasCallersDeadline, seen.Criticality, seen.Attempt).ShouldBe((long.MaxValue, false, Criticality.Sheddable, 2));
        InboundCall.Current.ShouldBeSameAs(reader);
    }

    [Fact]
    public async Task Factory_WhoseDependencyFailedForGood_SaysSoToAllRequestsThatWaited()
    {
        using var host = new CacheUnderTest();
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        InboundCall[] requests = [new(), new()];
        var reads = requests.Select(request => Task.Run(() =>
        {
            InboundCall.Current = request;
            return host.Cache.GetOrCreateAsync<string>("k", async _ =>
            {
                await gate.Task;
                InboundCall.Current!.NoteDependencyFailure();
                throw new IOException("down");
            }).AsTask();
        })).ToList();
        await CacheUnderTest.UntilAsync(() => host.Time.ArmedTimers == 1);
        gate.SetResult();
        foreach (var read in reads)
        {
            await Should.ThrowAsync<IOException>(read);
        }

        requests.ShouldAllBe(static request => request.DependencyFailed);
    }

    [Fact]
    public async Task Dispose_WhileSomebodyWaits_EndsTheWaitAndCancelsTheFactory()
    {
        var host = new CacheUnderTest();
        var source = new Source().Hold();
        var read = host.ReadAsync(source).AsTask();
        await source.Called;
        host.Dispose();

        await Should.ThrowAsync<ObjectDisposedException>(read.WaitAsync(CacheUnderTest.Moment));
        await CacheUnderTest.UntilAsync(() => source.Token.IsCancellationRequested);
    }

    [Fact]
    public async Task Read_InAFactoryOfAKeyThatWaitsForAPlace_DoesNotWaitForItself()
    {
        using var host = new CacheUnderTest(options => options.MaxConcurrentFactories = 1);
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var called = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var outer = host.Cache.GetOrCreateAsync("a", async token =>
        {
            called.SetResult();
            await gate.Task;
            return await host.ReadAsync(new Source("never"), "b", cancellationToken: token);
        }).AsTask();
        await called.Task.WaitAsync(CacheUnderTest.Patience);
        var waiting = host.ReadAsync(new Source("b"), "b").AsTask();
        await CacheUnderTest.UntilAsync(() => host.Time.ArmedTimers == 2);
        gate.SetResult();

        (await outer.WaitAsync(CacheUnderTest.Moment)).ShouldBe("b");
        (await waiting).ShouldBe("b");
        (await host.ReadAsync(new Source("c"), "c").AsTask().WaitAsync(CacheUnderTest.Moment)).ShouldBe("c", "all places were given back");
    }
}
