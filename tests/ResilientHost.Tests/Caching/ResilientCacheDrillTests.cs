namespace ResilientHost.Tests.Caching;

public sealed class ResilientCacheDrillTests
{
    [Fact]
    public async Task Penetration_ByTenThousandReadsOfHundredMissingKeys_ReachesTheDatabaseHundredTimes()
    {
        using var host = new CacheUnderTest();
        var database = new Source(null);
        for (var i = 0; i < 10_000; i++)
        {
            (await host.ReadAsync(database, $"missing-{i % 100}")).ShouldBeNull();
        }

        database.Calls.ShouldBe(100);
        host.Reads.Count(read => Equals(read, "negative_hit")).ShouldBe(9900);
    }

    [Fact]
    public async Task Penetration_ByTenThousandCraftedKeys_ReachesTheDatabaseNever()
    {
        using var host = new CacheUnderTest(options => options.KeyFilter = key => key.StartsWith("product-", StringComparison.Ordinal));
        var database = new Source(null);
        for (var i = 0; i < 10_000; i++)
        {
            await host.ReadAsync(database, $"' OR {i}");
        }

        database.Calls.ShouldBe(0);
        host.Core.Memory.Count.ShouldBe(0);
        host.Reads.ShouldAllBe(read => Equals(read, "filtered"));
    }

    [Fact]
    public async Task Avalanche_OfThousandKeysWrittenTogether_IsSpreadOverTheJitter()
    {
        using var host = new CacheUnderTest(options => (options.Expiration, options.ExpirationJitter) = (TimeSpan.FromSeconds(100), 0.2));
        var database = new Source();
        for (var i = 0; i < 1000; i++)
        {
            await host.ReadAsync(database, $"k{i}");
        }

        host.Time.Advance(TimeSpan.FromSeconds(79));
        List<int> slices = [];
        for (var second = 0; second < 22; second++)
        {
            host.Time.Advance(TimeSpan.FromSeconds(1));
            var before = database.Calls;
            for (var i = 0; i < 1000; i++)
            {
                await host.ReadAsync(database, $"k{i}");
            }

            slices.Add(database.Calls - before);
        }

        slices.Sum().ShouldBe(1000);
        slices.Max().ShouldBeLessThan(120, "1000 in 20 s are 50 a second; without jitter all come in one");
    }

    [Fact]
    public async Task Negative_WhenItsTimeIsOver_AsksAgainAndIsNeverGivenOutStale()
    {
        using var host = new CacheUnderTest();
        var database = new Source(null);
        await host.ReadAsync(database);
        host.Time.Advance(TimeSpan.FromSeconds(30));
        database.Failure = new IOException("down");

        await Should.ThrowAsync<IOException>(host.ReadAsync(database).AsTask());
    }

    [Fact]
    public async Task Negative_WithNoTime_ForgetsTheValueThatWas()
    {
        using var host = new CacheUnderTest(options => (options.NegativeExpiration, options.Expiration) = (TimeSpan.Zero, TimeSpan.FromMinutes(1)));
        var database = new Source("was");
        await host.ReadAsync(database);
        host.Time.Advance(TimeSpan.FromMinutes(1));
        database.Value = null;
        (await host.ReadAsync(database)).ShouldBeNull();
        database.Failure = new IOException("down");

        await Should.ThrowAsync<IOException>(host.ReadAsync(database).AsTask());
    }

    [Fact]
    public async Task KeyFilter_ThatThrows_LetsTheKeyThrough()
    {
        using var host = new CacheUnderTest(options => options.KeyFilter = _ => throw new InvalidOperationException("filter"));

        (await host.ReadAsync(new Source())).ShouldBe("v");
        host.Logs.Entries.ShouldContain(log => log.EventId.Id == 2709);
    }

    [Fact]
    public async Task Key_LongerThanItMayBe_IsNotKept()
    {
        using var host = new CacheUnderTest(options => options.MaximumKeyLength = 10);
        var source = new Source();
        for (var i = 0; i < 2; i++)
        {
            await host.ReadAsync(source, "01234567890");
            await host.ReadAsync(source, "0123456789");
        }

        source.Calls.ShouldBe(3);
    }

    [Fact]
    public async Task Tags_ThatNoEntryHasAnyMore_AreForgotten()
    {
        using var host = new CacheUnderTest(options => options.MaxEntries = 10);
        for (var i = 0; i < 20_000; i++)
        {
            await host.ReadAsync(new Source(), $"k{i}", tags: [$"t{i}"]);
            if (i % 2000 == 0)
            {
                GC.Collect();
            }
        }

        host.Core.Tags.Count.ShouldBeLessThan(10_000);
    }

    [Fact]
    public async Task Hit_OfASharedValue_AllocatesNothing()
    {
        using var host = new CacheUnderTest();
        host.Metrics.Dispose();
        Func<int, CancellationToken, ValueTask<string>> factory = static (_, _) => ValueTask.FromResult("v");
        await host.Cache.GetOrCreateAsync("k", 0, factory);

        AllocatedBytes.Of(Hits).ShouldBe(0);

        void Hits()
        {
            for (var i = 0; i < 10_000; i++)
            {
                CheapAssertions.ShouldBeCompleted(host.Cache.GetOrCreateAsync("k", 0, factory));
            }
        }
    }
}

internal static class CheapAssertions
{
    // Without the library's: what it makes of its arguments would be counted, too.
    public static void ShouldBeCompleted<T>(ValueTask<T> call)
    {
        if (!call.IsCompletedSuccessfully)
        {
            throw new InvalidOperationException("The call should have completed at once.");
        }
    }
}
