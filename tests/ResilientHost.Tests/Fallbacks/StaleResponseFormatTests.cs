using Microsoft.AspNetCore.OutputCaching;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Primitives;
using ResilientHost.Fallbacks;

namespace ResilientHost.Tests.Fallbacks;

public sealed class StaleResponseFormatTests
{
    private static readonly StaleResponse Sample = new(
        new DateTimeOffset(2030, 1, 2, 3, 4, 5, 6, TimeSpan.Zero),
        [new("Content-Type", "text/plain"), new("X-Many", new StringValues(["a", "", "é \uD83D\uDE00"])), new("X-None", StringValues.Empty)],
        "the body"u8.ToArray(),
        [new("accept-language", "de")]);

    [Fact]
    public void Read_OfWhatWasWritten_IsTheSame()
    {
        Same(StaleResponseFormat.Read("key", StaleResponseFormat.Write("key", Sample)), Sample);
        Same(StaleResponseFormat.Read("", StaleResponseFormat.Write("", new(DateTimeOffset.MaxValue, [], default, []))), new(DateTimeOffset.MaxValue, [], default, []));
    }

    [Fact]
    public void Read_UnderAnotherKey_IsNothing() =>
        StaleResponseFormat.Read("other", StaleResponseFormat.Write("key", Sample)).ShouldBeNull();

    [Fact]
    public void Read_OfAnotherVersion_IsNothing()
    {
        var bytes = StaleResponseFormat.Write("key", Sample);
        bytes[3]++;

        StaleResponseFormat.Read("key", bytes).ShouldBeNull();
    }

    [Fact]
    public void Read_CutAnywhereOrLonger_IsNothing()
    {
        var bytes = StaleResponseFormat.Write("key", Sample);
        for (var length = 0; length < bytes.Length; length++)
        {
            StaleResponseFormat.Read("key", bytes.AsMemory(0, length)).ShouldBeNull();
        }

        StaleResponseFormat.Read("key", (byte[])[.. bytes, 0]).ShouldBeNull();
    }

    [Fact]
    public void Read_AnyBitFlipped_IsNothing()
    {
        var bytes = StaleResponseFormat.Write("key", Sample);
        for (var bit = 0; bit < bytes.Length * 8; bit++)
        {
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
            StaleResponseFormat.Read("key", bytes).ShouldBeNull();
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
        }
    }

    // The part behind the hash, as one who can compute the hash would fill it.
    [Fact]
    public void ReadPayload_OfAnything_IsWholeOrNothing()
    {
        var random = new Random(42);
        var payload = StaleResponseFormat.Write("key", Sample).AsSpan(20).ToArray();
        var read = 0;
        for (var i = 0; i < 100_000; i++)
        {
            var bytes = payload.ToArray();
            for (var flips = random.Next(1, 5); flips > 0; flips--)
            {
                var at = random.Next(bytes.Length);
                bytes[at] = random.Next(4) switch { 0 => 0, 1 => 0xFF, 2 => 0x7F, _ => (byte)random.Next(256) };
            }

            bytes = random.Next(4) == 0 ? bytes[..random.Next(bytes.Length)] : bytes;
            var before = GC.GetAllocatedBytesForCurrentThread();
            var response = StaleResponseFormat.ReadPayload(bytes);
            Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 100_000, "A length that lies took memory.");
            if (response is not null)
            {
                read++;
                Assert.True(response.Body.Length < bytes.Length);
                Assert.True(response.Headers.Concat(response.Vary).All(header => header.Key.Length > 0 && !header.Value.ToString().Contains('\n') && !header.Value.ToString().Contains('\r')));
            }
        }

        read.ShouldBeGreaterThan(0);
    }

    [Fact]
    public async Task OutputCache_AsStore_GivesBackWhatItTook()
    {
        await using var services = new ServiceCollection().AddLogging().AddOutputCache().AddSingleton<IStaleResponseStore>(new DictionaryStore()).AddOutputCacheStaleResponseStore().BuildServiceProvider();
        var store = services.GetRequiredService<IStaleResponseStore>();

        await store.SetAsync("key", Sample, TimeSpan.FromMinutes(1), CancellationToken.None);

        Same(await store.GetAsync("key", CancellationToken.None), Sample);
        (await store.GetAsync("other", CancellationToken.None)).ShouldBeNull();
        (await services.GetRequiredService<IOutputCacheStore>().GetAsync("key", CancellationToken.None)).ShouldBeNull("the cache's own keys are other keys");
    }

    [Fact]
    public async Task OutputCache_WithStrangersBytes_IsEmpty()
    {
        await using var services = new ServiceCollection().AddLogging().AddOutputCache().AddOutputCacheStaleResponseStore().BuildServiceProvider();
        await services.GetRequiredService<IOutputCacheStore>().SetAsync("resilient-host:stale:key", "RHS\u0001 and more"u8.ToArray(), null, TimeSpan.FromMinutes(1), CancellationToken.None);

        (await services.GetRequiredService<IStaleResponseStore>().GetAsync("key", CancellationToken.None)).ShouldBeNull();
    }

    [Fact]
    public async Task OutputCache_Missing_IsAnErrorThatNamesTheCall()
    {
        await using var services = new ServiceCollection().AddOutputCacheStaleResponseStore().BuildServiceProvider();

        Should.Throw<InvalidOperationException>(() => services.GetService<IStaleResponseStore>()).Message.ShouldContain("services.AddOutputCache()");
    }

    private static void Same(StaleResponse? actual, StaleResponse expected)
    {
        actual.ShouldNotBeNull();
        actual.StoredAt.ShouldBe(expected.StoredAt);
        actual.Headers.ShouldBe(expected.Headers);
        actual.Vary.ShouldBe(expected.Vary);
        actual.Body.ToArray().ShouldBe(expected.Body.ToArray());
    }
}
