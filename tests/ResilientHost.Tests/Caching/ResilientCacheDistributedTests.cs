using Microsoft.Extensions.Caching.Hybrid;

namespace ResilientHost.Tests.Caching;

public sealed class ResilientCacheDistributedTests
{
    private const string ValueKey = "resilience:default:value:k";

    private readonly ScriptedDistributedCache _shared = new();
    private readonly ManualTimeProvider _time = new();

    [Fact]
    public async Task Read_OfAValueThatAnotherProcessMade_TakesIt()
    {
        using var one = Process();
        using var other = Process();
        await one.ReadAsync(new Source("v"));
        await one.IdleAsync();
        var source = new Source("never");

        (await other.ReadAsync(source)).ShouldBe("v");
        (await other.ReadAsync(source)).ShouldBe("v");
        source.Calls.ShouldBe(0);
        other.Reads.ShouldBe(["distributed_hit", "hit"]);
    }

    [Fact]
    public async Task Read_WhenTheLocalTimeIsOver_AsksTheDistributedCacheOnly()
    {
        using var host = Process(options => (options.Expiration, options.LocalExpiration) = (TimeSpan.FromMinutes(5), TimeSpan.FromSeconds(10)));
        var source = new Source();
        await host.ReadAsync(source);
        await host.IdleAsync();
        _time.Advance(TimeSpan.FromSeconds(10));
        await host.ReadAsync(source);
        _time.Advance(TimeSpan.FromSeconds(291));
        await host.ReadAsync(source);

        source.Calls.ShouldBe(2);
        host.Reads.ShouldBe(["miss", "distributed_hit", "miss"]);
    }

    [Fact]
    public async Task Read_OfAKeyWithoutValue_IsNegativeElsewhereToo()
    {
        using var one = Process();
        using var other = Process();
        await one.ReadAsync(new Source(null));
        await one.IdleAsync();

        (await other.ReadAsync(new Source("never"))).ShouldBeNull();
        other.Reads.ShouldBe(["negative_hit"]);
    }

    [Fact]
    public async Task RemoveByTag_InOneProcess_IsSeenInAnother()
    {
        using var one = Process();
        using var other = Process();
        await one.ReadAsync(new Source("old"), tags: ["t"]);
        await one.IdleAsync();
        await other.ReadAsync(new Source("never"), tags: ["t"]);
        await one.Cache.RemoveByTagAsync("t");
        (await one.ReadAsync(new Source("new"), tags: ["t"])).ShouldBe("new");
        await one.IdleAsync();
        _time.Advance(TimeSpan.FromSeconds(5));
        await other.ReadAsync(new Source("new"), tags: ["t"]);

        await CacheUnderTest.UntilAsync(() => other.ReadAsync(new Source("never"), tags: ["t"]).AsTask().GetAwaiter().GetResult() == "new");
    }

    [Fact]
    public async Task RemoveByTag_ByAnotherProcessWhoseClockIsBehind_IsSeen()
    {
        var behind = new ManualTimeProvider(_time.GetUtcNow() - TimeSpan.FromHours(1));
        static void Long(CacheOptions options) => options.Expiration = TimeSpan.FromDays(1);
        using var one = Process(Long);
        using var late = new CacheUnderTest(Long, _shared, behind);
        await one.ReadAsync(new Source("old"), tags: ["t"]);
        await one.IdleAsync();
        (await late.ReadAsync(new Source("never"), tags: ["t"])).ShouldBe("old");
        await late.Cache.RemoveByTagAsync("t");

        (await late.ReadAsync(new Source("new"), tags: ["t"])).ShouldBe("new");
        await late.IdleAsync();
        using var third = Process(Long);
        (await third.ReadAsync(new Source("never"), tags: ["t"])).ShouldBe("new");
    }

    [Fact]
    public async Task Read_WhileTheDistributedCacheFails_GoesOnWithoutItAndSoonLeavesItAlone()
    {
        using var host = Process();
        _shared.Fails = true;
        for (var i = 0; i < 20; i++)
        {
            (await host.ReadAsync(new Source("v"), $"k{i}")).ShouldBe("v");
            await host.IdleAsync();
        }

        _shared.Calls.ShouldBe(5);
        await host.Logs.WaitForAsync(log => log.EventId.Id == 2704, CacheUnderTest.Patience);
        host.Logs.Entries.Count(log => log.EventId.Id == 2702).ShouldBe(1);
    }

    [Fact]
    public async Task Read_WhileTheDistributedCacheHangs_WaitsForItsTimeoutOnly()
    {
        using var host = Process(options => options.DistributedTimeout = TimeSpan.FromMilliseconds(100));
        _shared.Hangs = true;
        var source = new Source();
        var read = host.ReadAsync(source, options: new HybridCacheEntryOptions { Flags = HybridCacheEntryFlags.DisableDistributedCacheWrite }).AsTask();
        await CacheUnderTest.UntilAsync(() => host.Time.ArmedTimers == 2);
        source.Calls.ShouldBe(0);
        _time.Advance(TimeSpan.FromMilliseconds(100));

        (await read).ShouldBe("v");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Read_AfterAWriteThatTheDistributedCacheMissed_DoesNotSeeTheValueBefore(bool removes)
    {
        using var host = Process(options => options.LocalExpiration = TimeSpan.FromSeconds(10));
        await host.ReadAsync(new Source("old"));
        await host.IdleAsync();
        _shared.Fails = true;
        await (removes ? host.Cache.RemoveAsync("k") : host.Cache.SetAsync("k", "set"));
        _shared.Fails = false;
        _time.Advance(TimeSpan.FromSeconds(10));

        (await host.ReadAsync(new Source("new"))).ShouldBe("new");
    }

    [Fact]
    public async Task RemoveByTag_ThatTheDistributedCacheMissed_IsMadeUpFor()
    {
        using var one = Process();
        await one.ReadAsync(new Source("old"), tags: ["t"]);
        await one.IdleAsync();
        _shared.Fails = true;
        await one.Cache.RemoveByTagAsync("t");
        _shared.Fails = false;
        _time.Advance(TimeSpan.FromSeconds(5));
        (await one.ReadAsync(new Source("other"), "other")).ShouldBe("other");
        await CacheUnderTest.UntilAsync(() => _shared.Keys.Any(key => key.EndsWith("tag:t", StringComparison.Ordinal)));

        using var other = Process();
        (await other.ReadAsync(new Source("new"), tags: ["t"])).ShouldBe("new");
    }

    [Fact]
    public async Task Read_OfGarbage_IsAMiss()
    {
        using var host = Process();
        await host.ReadAsync(new Source("v"));
        await host.IdleAsync();
        var key = _shared.Keys.Single();
        var whole = _shared[key];
        for (var length = 0; length < whole.Length; length++)
        {
            _shared[key] = whole[..length];
            using var other = Process();
            var read = await other.ReadAsync(new Source("again"), options: new HybridCacheEntryOptions { Flags = HybridCacheEntryFlags.DisableDistributedCacheWrite });
            (read is "again" or "").ShouldBeTrue();
        }
    }

    [Fact]
    public async Task Value_LargerThanItMayBe_StaysLocalAndLeavesNoOlderOne()
    {
        using var host = Process(options => options.MaximumPayloadBytes = 10);
        await host.Cache.SetAsync("k", "small");
        _shared.Keys.Count.ShouldBe(1);
        await host.Cache.SetAsync("k", "larger than ten bytes");

        _shared.Keys.ShouldBeEmpty();
        (await host.ReadAsync(new Source("never"))).ShouldBe("larger than ten bytes");
    }

    [Fact]
    public async Task Key_ThatCannotBeEncoded_StaysLocal()
    {
        using var host = Process();
        (await host.ReadAsync(new Source("a"), "\uD800")).ShouldBe("a");
        (await host.ReadAsync(new Source("b"), "\uFFFD")).ShouldBe("b");
        await host.IdleAsync();
        _shared.Keys.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Stale_OfAnotherProcess_IsGivenOutDuringAnOutage()
    {
        using var one = Process(options => options.Expiration = TimeSpan.FromMinutes(1));
        await one.ReadAsync(new Source("old"));
        await one.IdleAsync();
        _time.Advance(TimeSpan.FromMinutes(2));
        using var other = Process(options => options.Expiration = TimeSpan.FromMinutes(1));

        (await other.ReadAsync(new Source { Failure = new IOException("down") })).ShouldBe("old");
    }

    [Fact]
    public async Task Read_AfterTheDistributedCacheRecovered_DoesNotWaitForTheTagsThatWereHeld()
    {
        using var other = Process();
        await other.ReadAsync(new Source("v"));
        await other.IdleAsync();
        using var host = Process();
        _shared.Fails = true;
        for (var i = 0; i < 3; i++)
        {
            await host.Cache.RemoveByTagAsync($"held-{i}");
        }

        _shared.Fails = false;
        _shared.HangsOnRead = static key => key.Contains("held", StringComparison.Ordinal);
        _time.Advance(TimeSpan.FromSeconds(5));

        (await host.ReadAsync(new Source("never")).AsTask().WaitAsync(CacheUnderTest.Moment)).ShouldBe("v");
        _shared.Release();
        await CacheUnderTest.UntilAsync(() => _shared.Keys.Count(static key => key.Contains("tag:held", StringComparison.Ordinal)) == 3);
    }

    [Fact]
    public async Task Read_WhoseDistributedCacheIsSlow_EndsAtTheHardTimeoutAndAsksNoFactory()
    {
        using var host = Process(options => (options.HardTimeout, options.DistributedTimeout) = (TimeSpan.FromMilliseconds(50), TimeSpan.FromSeconds(1)));
        _shared.Hangs = true;
        var source = new Source();
        var read = host.ReadAsync(source).AsTask();
        await CacheUnderTest.UntilAsync(() => _shared.Calls == 1 && host.Time.ArmedTimers > 0);
        _time.Advance(TimeSpan.FromMilliseconds(50));

        await Should.ThrowAsync<Polly.Timeout.TimeoutRejectedException>(read.WaitAsync(CacheUnderTest.Moment));
        await CacheUnderTest.UntilAsync(() => host.Time.ArmedTimers == 0);
        source.Calls.ShouldBe(0);
    }

    [Fact]
    public async Task Read_LeftByTheLastReaderBeforeItsFactoryIsAsked_AsksNone()
    {
        using var other = Process();
        await other.ReadAsync(new Source("v"), tags: ["slow"]);
        await other.IdleAsync();
        using var host = Process();
        using var caller = new CancellationTokenSource();
        _shared.HangsOnRead = static key => key.EndsWith("tag:slow", StringComparison.Ordinal);
        var source = new Source();
        var read = host.ReadAsync(source, cancellationToken: caller.Token).AsTask();
        await CacheUnderTest.UntilAsync(() => _shared.Calls > 4);
        await caller.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(read);
        _time.Advance(TimeSpan.FromSeconds(1));
        await host.Logs.WaitForAsync(log => log.EventId.Id == 2702, CacheUnderTest.Patience);

        // The flight has given back its own timer; that of the log's summary is left.
        await CacheUnderTest.UntilAsync(() => host.Time.ArmedTimers == 1);

        source.Calls.ShouldBe(0);
    }

    [Fact]
    public async Task Read_WhoseValueTheDistributedCacheIsSlowToTake_IsAnswered()
    {
        using var host = Process();
        _shared.HangsOnWrite = static _ => true;

        (await host.ReadAsync(new Source("v")).AsTask().WaitAsync(CacheUnderTest.Moment)).ShouldBe("v");
        host.Core.IsIdle.ShouldBeFalse();
        _shared.Release();
        await host.IdleAsync();
        _shared.Keys.ShouldHaveSingleItem();
    }

    [Fact]
    public async Task Writes_OfAHotKeyWhileTheDistributedCacheIsSlow_KeepOnlyTheNewest()
    {
        using var host = Process();
        _shared.HangsOnWrite = static _ => true;
        List<Task> writes = [host.Cache.SetAsync("k", "v0").AsTask()];
        await CacheUnderTest.UntilAsync(() => _shared.Writes == 1);
        for (var i = 1; i < 100; i++)
        {
            writes.Add(host.Cache.SetAsync("k", $"v{i}").AsTask());
        }

        _shared.Release();
        await Task.WhenAll(writes);
        _shared.Writes.ShouldBe(2);
        using var other = Process();
        (await other.ReadAsync(new Source("never"))).ShouldBe("v99");
    }

    [Fact]
    public async Task Removal_WhoseTurnALaterValueTookAndThatFailed_StillKeepsTheValueBeforeFromComingBack()
    {
        using var other = Process();
        await other.ReadAsync(new Source("old"));
        await other.IdleAsync();
        using var host = Process(options => options.LocalExpiration = TimeSpan.FromSeconds(10));
        _shared.HangsOnWrite = static _ => true;
        var running = host.Cache.RemoveAsync("k").AsTask();
        await CacheUnderTest.UntilAsync(() => _shared.Writes == 2);
        var removal = host.Cache.RemoveAsync("k").AsTask();
        var aside = new HybridCacheEntryOptions { Flags = HybridCacheEntryFlags.DisableDistributedCacheRead };
        var read = host.ReadAsync(new Source("later"), options: aside).AsTask();
        await CacheUnderTest.UntilAsync(() => host.Core.Memory.Count == 1);
        var before = _shared[ValueKey];
        _shared.HangsOnWrite = static _ => false;
        _shared.Fails = true;
        _shared.Release();
        await Task.WhenAll(running, removal, read);
        await host.IdleAsync();
        _shared.Fails = false;
        _shared[ValueKey] = before;
        _time.Advance(TimeSpan.FromSeconds(10));

        (await host.ReadAsync(new Source("new"))).ShouldBe("new");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Write_ThatTimedOutAndLandsAfterALaterOne_IsNotBelieved(bool holdsItsThread)
    {
        using var host = Process(options => options.LocalExpiration = TimeSpan.FromSeconds(10));
        using var held = new ManualResetEventSlim();
        _shared.HangsOnWrite = _ => !holdsItsThread || !held.Wait(CacheUnderTest.Patience, CancellationToken.None);
        var late = host.Cache.SetAsync("k", "v1").AsTask();
        await CacheUnderTest.UntilAsync(() => _shared.Writes == 1 && host.Time.ArmedTimers > 0);
        _time.Advance(TimeSpan.FromSeconds(1));
        await late;
        _shared.HangsOnWrite = static _ => false;
        await host.Cache.SetAsync("k", "v2");
        var second = _shared[ValueKey];
        held.Set();
        _shared.Release();
        await CacheUnderTest.UntilAsync(() => !_shared[ValueKey].AsSpan().SequenceEqual(second));
        _time.Advance(TimeSpan.FromSeconds(10));

        (await host.ReadAsync(new Source("v3"))).ShouldBe("v3");
        await host.IdleAsync();
        _time.Advance(TimeSpan.FromSeconds(10));
        (await host.ReadAsync(new Source("never"))).ShouldBe("v3", "what is written once nothing is late is believed again");
    }

    private CacheUnderTest Process(Action<CacheOptions>? configure = null) => new(configure, _shared, _time);
}
