using Microsoft.Extensions.Caching.Hybrid;

namespace ResilientHost.Tests.Caching;

public sealed class ResilientCacheInvalidationTests
{
    [Theory]
    [InlineData("remove")]
    [InlineData("set")]
    [InlineData("tag")]
    [InlineData("all")]
    public async Task Factory_ThatBeganBeforeAWrite_ReachesNobodyWhoCameAfterIt(string write)
    {
        using var host = new CacheUnderTest();
        var before = new Source("before").Hold();
        var early = host.ReadAsync(before, tags: ["t"]).AsTask();
        await before.Called;
        await WriteAsync(host.Cache, write);
        var after = new Source("after").Hold();
        var late = host.ReadAsync(after, tags: ["t"]).AsTask();
        if (write != "set")
        {
            await after.Called;
            after.Open();
        }

        (await late).ShouldBe("after");
        before.Open();
        (await early).ShouldBe("before");
        (await host.ReadAsync(new Source("nobody"), tags: ["t"])).ShouldBe("after");
        host.Core.IsIdle.ShouldBeTrue();
    }

    [Theory]
    [InlineData("remove")]
    [InlineData("set")]
    [InlineData("tag")]
    [InlineData("all")]
    public async Task Read_AfterAWrite_SeesIt(string write)
    {
        using var host = new CacheUnderTest();
        await host.ReadAsync(new Source("before"), tags: ["s", "t"]);
        await WriteAsync(host.Cache, write);

        (await host.ReadAsync(new Source("after"), tags: ["t"])).ShouldBe("after");
    }

    [Fact]
    public async Task RemoveByTag_OfOneTag_LeavesOtherTagsAlone()
    {
        using var host = new CacheUnderTest();
        await host.ReadAsync(new Source("a"), "a", tags: ["even", "all"]);
        await host.ReadAsync(new Source("b"), "b", tags: ["odd", "all"]);
        await host.Cache.RemoveByTagAsync("even");

        (await host.ReadAsync(new Source("a2"), "a")).ShouldBe("a2");
        (await host.ReadAsync(new Source("b2"), "b")).ShouldBe("b");
    }

    [Fact]
    public async Task RemoveByTag_OfUnknownAndEmptyTags_DoesNothing()
    {
        using var host = new CacheUnderTest();
        await host.ReadAsync(new Source("a"), tags: ["", "t"]);
        await host.Cache.RemoveByTagAsync("");
        await host.Cache.RemoveByTagAsync("unknown");

        (await host.ReadAsync(new Source("b"))).ShouldBe("a");
    }

    [Fact]
    public async Task Flags_OfACall_AreHonoured()
    {
        using var host = new CacheUnderTest();
        static HybridCacheEntryOptions With(HybridCacheEntryFlags flags) => new() { Flags = flags };
        (await host.ReadAsync(new Source(), options: With(HybridCacheEntryFlags.DisableUnderlyingData))).ShouldBeNull();
        (await host.ReadAsync(new Source("a"), options: With(HybridCacheEntryFlags.DisableLocalCacheWrite))).ShouldBe("a");
        (await host.ReadAsync(new Source("b"))).ShouldBe("b");
        (await host.ReadAsync(new Source("c"), options: With(HybridCacheEntryFlags.DisableLocalCacheRead))).ShouldBe("c");
        (await host.ReadAsync(new Source("d"), options: With(HybridCacheEntryFlags.DisableUnderlyingData))).ShouldBe("c");
        await host.Cache.SetAsync("k", "e", With(HybridCacheEntryFlags.DisableLocalCacheWrite));

        (await host.ReadAsync(new Source("f"))).ShouldBe("f", "what was there before the write must not come back");
    }

    [Fact]
    public async Task Expiration_OfACall_ComesBeforeTheOptions()
    {
        using var host = new CacheUnderTest();
        await host.ReadAsync(new Source("a"), options: new() { Expiration = TimeSpan.FromSeconds(1) });
        await host.ReadAsync(new Source("a"), "long", options: new() { Expiration = TimeSpan.MaxValue });
        host.Time.Advance(TimeSpan.FromSeconds(1));

        (await host.ReadAsync(new Source("b"))).ShouldBe("b");
        (await host.ReadAsync(new Source("b"), "long")).ShouldBe("a");
    }

    [Fact]
    public async Task Values_BeyondMaxEntries_PushOutThoseUsedLeastRecently()
    {
        using var host = new CacheUnderTest(options => options.MaxEntries = 3);
        foreach (var key in new[] { "a", "b", "c" })
        {
            await host.ReadAsync(new Source(key), key);
        }

        await host.ReadAsync(new Source("again"), "a");
        await host.ReadAsync(new Source("d"), "d");

        host.Core.Memory.Count.ShouldBe(3);
        (await host.ReadAsync(new Source("again"), "a")).ShouldBe("a");
        (await host.ReadAsync(new Source("again"), "d")).ShouldBe("d");
        (await host.ReadAsync(new Source("again"), "b")).ShouldBe("again");
    }

    [Fact]
    public async Task Writes_OfManyThreadsAtOnce_NeverLetAnOldValueComeBack()
    {
        using var host = new CacheUnderTest();
        var truth = 0;
        var torn = 0;
        var readers = Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            for (var i = 0; i < 2000; i++)
            {
                var least = Volatile.Read(ref truth);
                var value = await host.Cache.GetOrCreateAsync("k", _ => ValueTask.FromResult(Volatile.Read(ref truth)));
                if (value < least)
                {
                    Interlocked.Increment(ref torn);
                }
            }
        }));
        var writer = Task.Run(async () =>
        {
            for (var i = 1; i < 2000; i++)
            {
                // Readers count a value as known from the moment its removal has ended.
                var next = i;
                await host.Cache.SetAsync("k", next);
                Volatile.Write(ref truth, next);
            }
        });
        await Task.WhenAll([.. readers, writer]);

        torn.ShouldBe(0);
        host.Core.IsIdle.ShouldBeTrue();
    }

    private static async Task WriteAsync(HybridCache cache, string write)
    {
        await (write switch
        {
            "remove" => cache.RemoveAsync("k"),
            "set" => cache.SetAsync("k", "after", tags: ["t"]),
            "tag" => cache.RemoveByTagAsync("t"),
            _ => cache.RemoveByTagAsync("*"),
        });
    }
}
