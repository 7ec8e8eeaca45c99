using System.Collections.Concurrent;
using Microsoft.Extensions.Caching.Distributed;
using Microsoft.Extensions.Caching.Hybrid;

namespace ResilientHost.IntegrationTests.Contract;

/// <summary>Guarded reads through the abstract <see cref="HybridCache"/>.</summary>
public sealed class CacheContractTests
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);
    private readonly ManualTimeProvider _time = new();
    private int _reads;

    [Fact]
    public async Task Registered_AsHybridCache()
    {
        await using var service = await StartAsync();

        Cache(service).ShouldNotBeNull();
        (await GetAsync(service, "a")).ShouldBe("value 1");
        (await GetAsync(service, "a")).ShouldBe("value 1");
        (await GetAsync(service, "b")).ShouldBe("value 2");
    }

    [Fact]
    public async Task Stampede_OneKey_OneRead()
    {
        await using var service = await StartAsync();
        var gate = new Gate();
        var readers = Enumerable.Range(0, 1_000).Select(_ => Cache(service).GetOrCreateAsync("hot", async token =>
        {
            Interlocked.Increment(ref _reads);
            await gate.PassAsync(token);
            return "value";
        }).AsTask()).ToArray();
        await gate.ArrivalAsync();
        gate.Open();

        (await Task.WhenAll(readers)).ShouldAllBe(value => value == "value");
        _reads.ShouldBe(1);
    }

    [Fact]
    public async Task Stampede_OneCallerLeaves_OthersAreNotDisturbed_AndTheLastToLeaveCancelsTheRead()
    {
        await using var service = await StartAsync();
        var gate = new Gate();
        using var first = new CancellationTokenSource();
        using var second = new CancellationTokenSource();
        CancellationToken seen = default;
        async ValueTask<string> Read(CancellationToken token)
        {
            seen = token;
            await gate.PassAsync(token);
            return "value";
        }

        var one = Cache(service).GetOrCreateAsync("hot", Read, cancellationToken: first.Token).AsTask();
        await gate.ArrivalAsync();
        var two = Cache(service).GetOrCreateAsync("hot", Read, cancellationToken: second.Token).AsTask();
        await first.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(one);
        seen.IsCancellationRequested.ShouldBeFalse();
        await second.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(two);
        await TestService.EventuallyAsync(() => Task.FromResult(seen.IsCancellationRequested), "the read is cancelled");
    }

    [Fact]
    public async Task Penetration_Misses_AreRememberedForTheirTime()
    {
        await using var service = await StartAsync(options => (options.NegativeExpiration, options.ExpirationJitter) = (TimeSpan.FromSeconds(10), 0));
        for (var read = 0; read < 100; read++)
        {
            (await GetNullAsync(service, "none")).ShouldBeNull();
        }

        _reads.ShouldBe(1);
        _time.Advance(TimeSpan.FromSeconds(11));
        await GetNullAsync(service, "none");
        _reads.ShouldBe(2);
    }

    [Fact]
    public async Task Penetration_CraftedKeys_AreFilteredWithoutARead()
    {
        await using var service = await StartAsync(options => options.KeyFilter = static key => key.StartsWith("product:", StringComparison.Ordinal));
        for (var read = 0; read < 1_000; read++)
        {
            (await GetAsync(service, $"' OR 1=1 -- {read}")).ShouldBeNull();
        }

        _reads.ShouldBe(0);
        (await GetAsync(service, "product:1")).ShouldBe("value 1");
    }

    [Fact]
    public async Task Avalanche_KeysWrittenTogether_DoNotExpireTogether()
    {
        await using var service = await StartAsync(options => (options.Expiration, options.ExpirationJitter) = (TimeSpan.FromSeconds(100), 0.2));
        for (var key = 0; key < 1_000; key++)
        {
            await GetAsync(service, $"key {key}");
        }

        _time.Advance(TimeSpan.FromSeconds(79));
        await ReadAllAsync();
        _reads.ShouldBe(1_000, "Nothing expires before the jitter's share.");
        _time.Advance(TimeSpan.FromSeconds(11));
        await ReadAllAsync();
        _reads.ShouldBeInRange(1_350, 1_650);

        async Task ReadAllAsync()
        {
            for (var key = 0; key < 1_000; key++)
            {
                await GetAsync(service, $"key {key}");
            }
        }
    }

    [Fact]
    public async Task StaleOnError_WithinItsBoundsOnly()
    {
        await using var service = await StartAsync(options => (options.Expiration, options.StaleFor, options.ExpirationJitter, options.FailureDelay) = (Minute, 10 * Minute, 0, TimeSpan.Zero));
        (await GetAsync(service, "a")).ShouldBe("value 1");
        _time.Advance(2 * Minute);

        (await FailAsync(service, "a")).ShouldBe("value 1");
        _time.Advance(10 * Minute);
        (await Should.ThrowAsync<InvalidOperationException>(() => FailAsync(service, "a"))).Message.ShouldBe("database down");
    }

    [Fact]
    public async Task StaleOnError_AsksNotAgainWithinTheDelay_AndRecovers()
    {
        await using var service = await StartAsync(options => (options.Expiration, options.ExpirationJitter, options.FailureDelay) = (Minute, 0, TimeSpan.FromSeconds(5)));
        await GetAsync(service, "a");
        _time.Advance(2 * Minute);
        for (var read = 0; read < 20; read++)
        {
            (await FailAsync(service, "a")).ShouldBe("value 1");
        }

        _reads.ShouldBe(2);
        _time.Advance(TimeSpan.FromSeconds(6));
        (await GetAsync(service, "a")).ShouldBe("value 3");
    }

    [Fact]
    public async Task Errors_AreNotKept_AndReachEveryWaiter()
    {
        await using var service = await StartAsync();

        await Should.ThrowAsync<InvalidOperationException>(() => FailAsync(service, "a"));
        await Should.ThrowAsync<InvalidOperationException>(() => FailAsync(service, "a"));

        _reads.ShouldBe(2);
        (await GetAsync(service, "a")).ShouldBe("value 3");
    }

    [Fact]
    public async Task SoftTimeout_GivesTheStaleValue_AndKeepsWhatComesLater()
    {
        await using var service = await StartAsync(options => (options.Expiration, options.ExpirationJitter, options.SoftTimeout) = (Minute, 0, TimeSpan.FromMilliseconds(100)));
        await GetAsync(service, "a");
        _time.Advance(2 * Minute);
        var gate = new Gate();

        var reading = Cache(service).GetOrCreateAsync("a", async token =>
        {
            await gate.PassAsync(token);
            return "new";
        }).AsTask();
        await gate.ArrivalAsync();
        _time.Advance(TimeSpan.FromMilliseconds(100));
        (await reading.WaitAsync(TestService.Patience)).ShouldBe("value 1");
        gate.Open();

        await TestService.EventuallyAsync(async () => await GetAsync(service, "a") == "new", "the late value is kept");
        _reads.ShouldBe(1);
    }

    [Fact]
    public async Task HardTimeout_CancelsTheReadAndThrowsWithoutAStaleValue()
    {
        await using var service = await StartAsync(options => options.HardTimeout = TimeSpan.FromSeconds(1));
        var gate = new Gate();
        CancellationToken seen = default;

        var reading = Cache(service).GetOrCreateAsync("a", async token =>
        {
            seen = token;
            await gate.PassAsync(CancellationToken.None);
            return "new";
        }).AsTask();
        await gate.ArrivalAsync();
        _time.Advance(TimeSpan.FromSeconds(1));

        var error = await Should.ThrowAsync<Exception>(reading.WaitAsync(TestService.Patience));
        error.ShouldBeAssignableTo<Polly.Timeout.TimeoutRejectedException>();
        seen.IsCancellationRequested.ShouldBeTrue();
        gate.Open();
    }

    [Fact]
    public async Task Timeouts_ComeFromNamedConfigurationAndReload()
    {
        await using var service = await TestService.StartAsync(new TestServiceSetup
        {
            Configuration = """{ "Caches": { "Default": { "Expiration": "00:01:00", "ExpirationJitter": 0 }, "short": { "Inherit": "Default", "Expiration": "00:00:10" } } }""",
            Time = _time,
            Builder = builder => builder.Services.AddResilientCache().AddResilientCache("short"),
        });
        var named = service.Services.GetRequiredKeyedService<HybridCache>("short");
        await named.GetOrCreateAsync("a", _ => ValueTask.FromResult($"value {++_reads}"));
        _time.Advance(TimeSpan.FromSeconds(11));
        (await named.GetOrCreateAsync("a", _ => ValueTask.FromResult($"value {++_reads}"))).ShouldBe("value 2");
    }

    [Fact]
    public async Task EagerRefresh_ReadsInTheBackgroundBeforeExpiry()
    {
        await using var service = await StartAsync(options => (options.Expiration, options.ExpirationJitter, options.EagerRefresh) = (Minute, 0, 0.8));
        await GetAsync(service, "a");
        _time.Advance(TimeSpan.FromSeconds(50));

        (await GetAsync(service, "a")).ShouldBe("value 1");
        await TestService.EventuallyAsync(async () => await GetAsync(service, "a") == "value 2", "the refreshed value");
        _reads.ShouldBe(2);
    }

    [Theory]
    [InlineData("t1", 1)]
    [InlineData("*", 2)]
    [InlineData("other", 0)]
    public async Task Tags_RemoveWhatHasThem(string tag, int removed)
    {
        await using var service = await StartAsync();
        await Cache(service).SetAsync("tagged", "old", tags: ["t1", "t2"]);
        await Cache(service).SetAsync("plain", "old");

        await Cache(service).RemoveByTagAsync(tag);

        await GetAsync(service, "tagged");
        await GetAsync(service, "plain");
        _reads.ShouldBe(removed);
    }

    [Fact]
    public async Task Tags_Several_AtOnceAndByASetAfterwards()
    {
        await using var service = await StartAsync();
        await Cache(service).SetAsync("a", "old", tags: ["t1"]);
        await Cache(service).SetAsync("b", "old", tags: ["t2"]);
        await Cache(service).RemoveByTagAsync(["t1", "t2"]);
        await Cache(service).SetAsync("a", "new", tags: ["t1"]);

        (await GetAsync(service, "a")).ShouldBe("new");
        (await GetAsync(service, "b")).ShouldBe("value 1");
        await Cache(service).SetAsync("c", "old");
        await Cache(service).RemoveAsync(["a", "c"]);
        (await GetAsync(service, "a")).ShouldBe("value 2");
        (await GetAsync(service, "c")).ShouldBe("value 3");
    }

    [Theory]
    [InlineData("remove"), InlineData("tag"), InlineData("*"), InlineData("set")]
    public async Task Invalidation_DuringARead_IsNotOverwrittenByIt(string how)
    {
        await using var service = await StartAsync();
        var cache = Cache(service);
        var gate = new Gate();
        var before = cache.GetOrCreateAsync("a", async token =>
        {
            await gate.PassAsync(token);
            return "before";
        }, tags: ["t"]).AsTask();
        await gate.ArrivalAsync();
        await (how switch
        {
            "remove" => cache.RemoveAsync("a"),
            "set" => cache.SetAsync("a", "after"),
            _ => cache.RemoveByTagAsync(how == "tag" ? "t" : "*"),
        });

        // Who comes after the invalidation must not be given what was read before it.
        (await cache.GetOrCreateAsync("a", _ => ValueTask.FromResult("after"), tags: ["t"]).AsTask().WaitAsync(TestService.Patience)).ShouldBe("after");
        gate.Open();
        (await before).ShouldBe("before");
        (await cache.GetOrCreateAsync("a", _ => ValueTask.FromResult("later"), tags: ["t"])).ShouldBe("after");
    }

    [Fact]
    public async Task Invalidation_IsNotUndoneByAStaleValueOnError()
    {
        await using var service = await StartAsync();
        await GetAsync(service, "a");
        await Cache(service).RemoveAsync("a");

        await Should.ThrowAsync<InvalidOperationException>(() => FailAsync(service, "a"));
    }

    [Fact]
    public async Task EntryOptions_ExpirationAndFlags()
    {
        await using var service = await StartAsync(options => options.ExpirationJitter = 0);
        var cache = Cache(service);
        var second = new HybridCacheEntryOptions { Expiration = TimeSpan.FromSeconds(1) };
        await cache.GetOrCreateAsync("a", Next, second);
        _time.Advance(TimeSpan.FromSeconds(2));
        (await cache.GetOrCreateAsync("a", Next, second)).ShouldBe("value 2");

        var only = new HybridCacheEntryOptions { Flags = HybridCacheEntryFlags.DisableUnderlyingData };
        (await cache.GetOrCreateAsync("none", Next, only)).ShouldBeNull();
        (await cache.GetOrCreateAsync("a", Next, only)).ShouldBe("value 2");
        var notWritten = new HybridCacheEntryOptions { Flags = HybridCacheEntryFlags.DisableLocalCacheWrite | HybridCacheEntryFlags.DisableDistributedCacheWrite };
        await cache.GetOrCreateAsync("b", Next, notWritten);
        (await cache.GetOrCreateAsync("b", Next, notWritten)).ShouldBe("value 4");
        var notRead = new HybridCacheEntryOptions { Flags = HybridCacheEntryFlags.DisableLocalCacheRead | HybridCacheEntryFlags.DisableDistributedCacheRead };
        (await cache.GetOrCreateAsync("a", Next, notRead)).ShouldBe("value 5");
        (await cache.GetOrCreateAsync("a", Next)).ShouldBe("value 5");

        ValueTask<string> Next(CancellationToken _) => ValueTask.FromResult($"value {++_reads}");
    }

    [Fact]
    public async Task Distributed_IsSharedBetweenServices_AndItsFailureIsNoneOfARead()
    {
        var store = new Store();
        await using var one = await StartAsync(store: store);
        await using var two = await StartAsync(store: store);
        (await GetAsync(one, "a")).ShouldBe("value 1");
        await TestService.EventuallyAsync(() => Task.FromResult(store.Count > 0), "written through");
        (await GetAsync(two, "a")).ShouldBe("value 1");
        await Cache(one).RemoveAsync("a");
        (await GetAsync(one, "a")).ShouldBe("value 2");

        store.IsDown = true;
        (await GetAsync(one, "b")).ShouldBe("value 3");
        (await GetAsync(one, "b")).ShouldBe("value 3");
        await Cache(one).SetAsync("c", "set");
        (await GetAsync(one, "c")).ShouldBe("set");
        await Cache(one).RemoveAsync("c");
        await Cache(one).RemoveByTagAsync("t");
        (await GetAsync(one, "c")).ShouldBe("value 4");
    }

    [Fact]
    public async Task Distributed_Hangs_ReadsGoOnWithoutIt()
    {
        var store = new Store { Hangs = true };
        await using var service = await TestService.StartAsync(new TestServiceSetup
        {
            Builder = builder => builder.Services.AddSingleton<IDistributedCache>(store).AddResilientCache(options => options.DistributedTimeout = TimeSpan.FromMilliseconds(100)),
        });
        (await GetAsync(service, "a").WaitAsync(TimeSpan.FromSeconds(10))).ShouldBe("value 1");
        await Cache(service).SetAsync("b", "set").AsTask().WaitAsync(TimeSpan.FromSeconds(10));
        (await GetAsync(service, "b").WaitAsync(TimeSpan.FromSeconds(10))).ShouldBe("set");
    }

    [Fact]
    public async Task Values_ThatCanBeChanged_AreEachReadersOwn()
    {
        await using var service = await StartAsync();
        var one = await Cache(service).GetOrCreateAsync("list", _ => ValueTask.FromResult(new List<int> { 1 }));
        one.Add(2);

        (await Cache(service).GetOrCreateAsync("list", _ => ValueTask.FromResult(new List<int>()))).ShouldBe([1]);
    }

    [Fact]
    public async Task KillSwitch_EveryReadGoesToItsFactory()
    {
        await using var service = await TestService.StartAsync(new TestServiceSetup
        {
            Configuration = """{ "Caches": { "Default": { "Enabled": false } } }""",
            Builder = builder => builder.Services.AddResilientCache(),
        });

        await GetAsync(service, "a");
        (await GetAsync(service, "a")).ShouldBe("value 2");
    }

    [Fact]
    public async Task Values_OfOtherTypesUnderTheSameKey_AreNoError()
    {
        await using var service = await StartAsync(store: new Store());
        await Cache(service).SetAsync("a", "text");

        (await Cache(service).GetOrCreateAsync("a", _ => ValueTask.FromResult(7))).ShouldBe(7);
        (await Cache(service).GetOrCreateAsync("n", _ => ValueTask.FromResult<int?>(null))).ShouldBeNull();
        (await Cache(service).GetOrCreateAsync("z", _ => ValueTask.FromResult(0))).ShouldBe(0);
        await Cache(service).SetAsync<string?>("null", null);
        (await GetAsync(service, "null")).ShouldBeNull();
    }

    [Fact]
    public async Task Stale_IsNotGivenOutOnceTheReadSaysThatThereIsNothing()
    {
        await using var service = await StartAsync(options => (options.Expiration, options.ExpirationJitter) = (Minute, 0));
        await GetAsync(service, "a");
        _time.Advance(2 * Minute);

        (await GetNullAsync(service, "a")).ShouldBeNull();
        (await FailAsync(service, "a")).ShouldBeNull("It is remembered that there is nothing.");
    }

    [Fact]
    public async Task Stale_CallersCancellationIsNoErrorOfTheRead()
    {
        await using var service = await StartAsync(options => (options.Expiration, options.ExpirationJitter) = (Minute, 0));
        await GetAsync(service, "a");
        _time.Advance(2 * Minute);
        var gate = new Gate();
        using var caller = new CancellationTokenSource();
        var reading = Cache(service).GetOrCreateAsync("a", async token =>
        {
            await gate.PassAsync(token);
            return "new";
        }, cancellationToken: caller.Token).AsTask();
        await gate.ArrivalAsync();
        await caller.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(reading);
        (await GetAsync(service, "a")).ShouldBe("value 2");
    }

    [Fact]
    public async Task Distributed_TagRemovedElsewhere_IsSeenHere()
    {
        var store = new Store();
        await using var one = await StartAsync(store: store);
        await using var two = await StartAsync(store: store);
        await Cache(one).SetAsync("a", "old", tags: ["t"]);
        (await GetAsync(two, "a")).ShouldBe("old");
        await Cache(one).RemoveByTagAsync("t");

        _time.Advance(TimeSpan.FromSeconds(30));
        await TestService.EventuallyAsync(async () => await GetAsync(two, "a") != "old", "the removal is seen");
    }

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("very long")]
    [InlineData("\0\r\n\ud800")]
    public async Task Keys_OddOnes_AreRead(string key)
    {
        key = key == "very long" ? new string('k', 100_000) : key;
        await using var service = await StartAsync(store: new Store());

        (await GetAsync(service, key)).ShouldBe("value 1");
    }

    [Fact]
    public async Task Memory_IsBounded()
    {
        await using var service = await StartAsync(options => options.MaxEntries = 100);
        for (var key = 0; key < 10_000; key++)
        {
            await GetAsync(service, $"key {key}");
        }

        _reads.ShouldBe(10_000);
        (await GetAsync(service, "key 9999")).ShouldNotBeNull();
    }

    [Theory]
    [InlineData("""{ "Expiration": "-00:00:01" }""", "Expiration")]
    [InlineData("""{ "SoftTimeout": "00:01:00", "HardTimeout": "00:00:30" }""", "SoftTimeout")]
    [InlineData("""{ "ExpirationJitter": "NaN" }""", "ExpirationJitter")]
    [InlineData("""{ "EagerRefresh": 1.5 }""", "EagerRefresh")]
    public async Task Start_BadOptions_AreRefusedByName(string cache, string names)
    {
        var error = await TestService.FailToStartAsync(new TestServiceSetup
        {
            Configuration = $$"""{ "Caches": { "Default": {{cache}} } }""",
            Builder = builder => builder.Services.AddResilientCache(),
        });

        error.ShouldContain(names);
    }

    private static HybridCache Cache(TestService service) => service.Services.GetRequiredService<HybridCache>();

    private Task<string> GetAsync(TestService service, string key) => Cache(service).GetOrCreateAsync(key, _ => ValueTask.FromResult($"value {Interlocked.Increment(ref _reads)}")).AsTask();

    private Task<string?> GetNullAsync(TestService service, string key) => Cache(service).GetOrCreateAsync(key, _ =>
    {
        Interlocked.Increment(ref _reads);
        return ValueTask.FromResult<string?>(null);
    }).AsTask();

    private Task<string> FailAsync(TestService service, string key) => Cache(service).GetOrCreateAsync<string>(key, _ =>
    {
        Interlocked.Increment(ref _reads);
        throw new InvalidOperationException("database down");
    }).AsTask();

    private Task<TestService> StartAsync(Action<CacheOptions>? configure = null, IDistributedCache? store = null) => TestService.StartAsync(new TestServiceSetup
    {
        Time = _time,
        Builder = builder =>
        {
            if (store is not null)
            {
                builder.Services.AddSingleton(store);
            }

            builder.Services.AddResilientCache(configure);
        },
    });

    private sealed class Store : IDistributedCache
    {
        private readonly ConcurrentDictionary<string, byte[]> _values = new(StringComparer.Ordinal);

        public int Count => _values.Count;

        public bool IsDown { get; set; }

        public bool Hangs { get; init; }

        public byte[]? Get(string key) => Checked().GetValueOrDefault(key);

        public async Task<byte[]?> GetAsync(string key, CancellationToken token = default) => await WaitAsync(token) ? Get(key) : null;

        public void Refresh(string key) => Checked();

        public async Task RefreshAsync(string key, CancellationToken token = default)
        {
            await WaitAsync(token);
            Refresh(key);
        }

        public void Remove(string key) => Checked().TryRemove(key, out _);

        public async Task RemoveAsync(string key, CancellationToken token = default)
        {
            await WaitAsync(token);
            Remove(key);
        }

        public void Set(string key, byte[] value, DistributedCacheEntryOptions options) => Checked()[key] = value;

        public async Task SetAsync(string key, byte[] value, DistributedCacheEntryOptions options, CancellationToken token = default)
        {
            await WaitAsync(token);
            Set(key, value, options);
        }

        // Ignores its token, as a bad client would.
        private async Task<bool> WaitAsync(CancellationToken token)
        {
            await Task.Yield();
            if (Hangs)
            {
                await new TaskCompletionSource().Task;
            }

            return true;
        }

        private ConcurrentDictionary<string, byte[]> Checked() => IsDown ? throw new IOException("redis down") : _values;
    }
}
