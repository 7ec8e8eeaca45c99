using Microsoft.Extensions.Caching.Hybrid;

namespace ResilientHost.Tests.Caching;

public sealed class ResilientCacheDistributedTests
{
    private readonly ScriptedDistributedCache _shared = new();
    private readonly ManualTimeProvider _time = new();

    [Fact]
    public async Task Read_OfAValueThatAnotherProcessMade_TakesIt()
    {
        using var one = Process();
        using var other = Process();
        await one.ReadAsync(new Source("v"));
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

        (await other.ReadAsync(new Source("never"))).ShouldBeNull();
        other.Reads.ShouldBe(["negative_hit"]);
    }

    [Fact]
    public async Task RemoveByTag_InOneProcess_IsSeenInAnother()
    {
        using var one = Process();
        using var other = Process();
        await one.ReadAsync(new Source("old"), tags: ["t"]);
        await other.ReadAsync(new Source("never"), tags: ["t"]);
        await one.Cache.RemoveByTagAsync("t");
        (await one.ReadAsync(new Source("new"), tags: ["t"])).ShouldBe("new");
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
        (await late.ReadAsync(new Source("never"), tags: ["t"])).ShouldBe("old");
        await late.Cache.RemoveByTagAsync("t");

        (await late.ReadAsync(new Source("new"), tags: ["t"])).ShouldBe("new");
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
        await CacheUnderTest.UntilAsync(() => host.Time.ArmedTimers == 1);
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
        _shared.Keys.Count.ShouldBe(1);
    }

    [Fact]
    public async Task Stale_OfAnotherProcess_IsGivenOutDuringAnOutage()
    {
        using var one = Process(options => options.Expiration = TimeSpan.FromMinutes(1));
        await one.ReadAsync(new Source("old"));
        _time.Advance(TimeSpan.FromMinutes(2));
        using var other = Process(options => options.Expiration = TimeSpan.FromMinutes(1));

        (await other.ReadAsync(new Source { Failure = new IOException("down") })).ShouldBe("old");
    }

    private CacheUnderTest Process(Action<CacheOptions>? configure = null) => new(configure, _shared, _time);
}
