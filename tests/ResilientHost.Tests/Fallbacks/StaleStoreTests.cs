using Microsoft.Extensions.Primitives;
using ResilientHost.Fallbacks;
using ResilientHost.Hosting;

namespace ResilientHost.Tests.Fallbacks;

[Collection("alone in the process")] // The heap is measured.
public sealed class StaleStoreTests
{
    private static readonly TimeSpan MaxAge = TimeSpan.FromMinutes(1);
    private readonly ManualTimeProvider _time = new();

    [Fact]
    public void Flood_OfKeys_StaysWithinTheBound()
    {
        const long Bound = 4 * 1024 * 1024;
        var store = new MemoryStaleResponseStore(new MonotonicClock(_time), Bound);
        var random = new Random(1);
        for (var i = 0; i < 1_000; i++)
        {
            Flood(store, random, i);
        }

        var before = GC.GetTotalMemory(forceFullCollection: true);
        for (var i = 0; i < 50_000; i++)
        {
            Flood(store, random, i);
            store.Bytes.ShouldBeLessThanOrEqualTo(Bound);
        }

        store.Count.ShouldBeGreaterThan(10);
        (GC.GetTotalMemory(forceFullCollection: true) - before).ShouldBeLessThan(Bound + (1024 * 1024));
        GC.KeepAlive(store);
    }

    [Fact]
    public void Size_OfManySmallEntries_CoversWhatTheyTake()
    {
        const long Bound = 16 * 1024 * 1024;
        var store = new MemoryStaleResponseStore(new MonotonicClock(_time), Bound);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        for (var i = 0; store.Bytes < Bound - 10_000; i++)
        {
            store.Set(string.Create(null, $"key-{i}"), Response(1, ("Content-Type", new string('t', 10)), ("X", new string('x', 5))), MaxAge);
        }

        (GC.GetTotalMemory(forceFullCollection: true) - before).ShouldBeLessThan(Bound + (1024 * 1024));
        GC.KeepAlive(store);
    }

    [Fact]
    public void Set_WhatHasNoRoom_IsNotKeptNorItsPredecessor()
    {
        var store = new MemoryStaleResponseStore(new MonotonicClock(_time), 10_000);
        store.Set("other", Response(10), MaxAge);
        store.Set("key", Response(10), MaxAge);
        store.Set("key", Response(10_000), MaxAge);

        store.TryGet("key", out _).ShouldBeFalse();
        store.TryGet("other", out _).ShouldBeTrue();
        store.Bytes.ShouldBe(MemoryStaleResponseStore.SizeOf("other", Response(10)));
    }

    [Fact]
    public void Set_WithoutRoom_DropsWhatWasUsedLongestAgo()
    {
        var size = MemoryStaleResponseStore.SizeOf("a", Response(10));
        var store = new MemoryStaleResponseStore(new MonotonicClock(_time), 2 * size);
        store.Set("a", Response(10), MaxAge);
        store.Set("b", Response(10), MaxAge);
        store.TryGet("a", out _).ShouldBeTrue();
        store.Set("c", Response(10), MaxAge);

        store.TryGet("b", out _).ShouldBeFalse();
        store.TryGet("a", out _).ShouldBeTrue();
        store.TryGet("c", out _).ShouldBeTrue();
        store.Bytes.ShouldBe(2 * size);
    }

    [Fact]
    public void Get_OfWhatIsTooOld_FreesIt()
    {
        var store = new MemoryStaleResponseStore(new MonotonicClock(_time), 10_000);
        store.Set("a", Response(10), MaxAge);
        _time.SetUtcNow(_time.GetUtcNow().AddYears(-5));
        _time.Advance(MaxAge);
        store.TryGet("a", out var answer).ShouldBeTrue();
        answer.Age.ShouldBe(MaxAge);
        _time.Advance(TimeSpan.FromTicks(1));

        store.TryGet("a", out _).ShouldBeFalse();
        store.Bytes.ShouldBe(0);
        store.Count.ShouldBe(0);
    }

    [Fact]
    public void Store_UsedByManyThreads_CountsRight()
    {
        var store = new MemoryStaleResponseStore(new MonotonicClock(_time), 20_000);
        Parallel.For(0, 20_000, i =>
        {
            store.Set($"{i % 50}", Response(i % 700), MaxAge);
            store.TryGet($"{(i + 7) % 50}", out _);
        });
        store.Bytes.ShouldBeLessThanOrEqualTo(20_000);
        _time.Advance(MaxAge + MaxAge);
        for (var i = 0; i < 50; i++)
        {
            store.TryGet($"{i}", out _);
        }

        store.Bytes.ShouldBe(0);
    }

    private static void Flood(MemoryStaleResponseStore store, Random random, int i) =>
        store.Set(new string((char)('a' + (i % 26)), random.Next(2_000)) + random.Next(), Response(random.Next(20_000), ("X", new string('x', random.Next(500)))), MaxAge);

    private static StaleResponse Response(int length, params (string Name, string Value)[] headers) =>
        new(DateTimeOffset.UnixEpoch, [.. headers.Select(header => KeyValuePair.Create(header.Name, new StringValues(header.Value)))], new byte[length], []);
}
