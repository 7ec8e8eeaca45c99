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

    [Theory]
    [InlineData("remove")]
    [InlineData("tag")]
    [InlineData("all")]
    public async Task Invalidations_FasterThanTheFactory_NeverRunMoreThanTwoAtOnce(string write)
    {
        using var host = new CacheUnderTest();
        var gate = new SemaphoreSlim(0);
        var (truth, calls, running, most) = (0, 0, 0, 0);
        List<(int Least, Task<int> Read)> reads = [];
        for (var i = 0; i < 100; i++)
        {
            var before = Volatile.Read(ref calls);
            reads.Add((i, host.Cache.GetOrCreateAsync("k", CallAsync, tags: ["t"]).AsTask()));
            if (i < 2)
            {
                await CacheUnderTest.UntilAsync(() => Volatile.Read(ref calls) > before);
            }

            Volatile.Write(ref truth, i + 1);
            await WriteAsync(host.Cache, write);
        }

        // Each may end as soon as it is asked; the ends are let through one by one.
        foreach (var _ in reads)
        {
            gate.Release();
            await Task.Yield();
        }

        foreach (var (least, read) in reads)
        {
            (await read.WaitAsync(CacheUnderTest.Moment)).ShouldBeGreaterThanOrEqualTo(least);
        }

        most.ShouldBe(2);
        calls.ShouldBe(3, "two that ran, and the one that all who came later waited for");
        host.Core.IsIdle.ShouldBeTrue();

        async ValueTask<int> CallAsync(CancellationToken cancellationToken)
        {
            Interlocked.Increment(ref calls);
            var now = Interlocked.Increment(ref running);
            InterlockedMax(ref most, now);
            var value = Volatile.Read(ref truth);
            await gate.WaitAsync(cancellationToken);
            Interlocked.Decrement(ref running);
            return value;
        }

        static void InterlockedMax(ref int value, int least)
        {
            for (var now = Volatile.Read(ref value); now < least; now = Volatile.Read(ref value))
            {
                Interlocked.CompareExchange(ref value, least, now);
            }
        }
    }

    [Fact]
    public async Task Read_ThatWaitsForItsTurnWhileItsStaleValueIsRemoved_IsNotGivenThat()
    {
        using var host = new CacheUnderTest();
        var early = new[] { new Source("1").Hold(), new Source("2").Hold() };
        List<Task> others = [];
        foreach (var source in early)
        {
            others.Add(host.ReadAsync(source).AsTask());
            await source.Called;
            await host.Cache.SetAsync("k", "short", new() { Expiration = TimeSpan.FromSeconds(1) });
            host.Time.Advance(TimeSpan.FromSeconds(1));
        }

        var failing = new Source { Failure = new IOException("down") };
        var read = host.ReadAsync(failing).AsTask();
        await host.Cache.RemoveAsync("k");
        foreach (var source in early)
        {
            source.Open();
        }

        await Should.ThrowAsync<IOException>(read.WaitAsync(CacheUnderTest.Moment));
        await Task.WhenAll(others);
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
