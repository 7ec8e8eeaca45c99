using ResilientHost.Benchmarks.Ratios;

namespace ResilientHost.Benchmarks.Partitions;

/// <summary>What one more key costs, measured over 100,000 that are kept: with its entries in all tables and the text of the key itself.</summary>
/// <remarks>Where bytes are counted, each call brings a text of its own, as requests do: what the tables keep of it is part of the cost.</remarks>
internal static class PartitionCost
{
    private const int Keys = 100_000;
    private const int Rounds = 3;

    /// <summary>Bytes that a key keeps after two calls, when it is idle.</summary>
    public static Measurement Idle(string name) => Bytes(name, Kept(new OurPartitions(Keys + 1)));

    /// <summary>As <see cref="Idle"/>, when the calls were so far apart that the circuit's window holds them in two places.</summary>
    public static Measurement IdleAfterSpreadCalls(string name) => Bytes(name, Kept(new OurPartitions(Keys + 1), static ours => ours.PassBucket()));

    /// <summary>Nanoseconds of CPU for a key's first call, which makes all that it needs.</summary>
    public static Measurement Create(string name)
    {
        Created(new OurPartitions(Keys));
        using (var warm = new PollyPartitions())
        {
            Created(warm, Keys / 10);
        }

        var ratios = new List<double>();
        var (ours, peers) = (new List<double>(), new List<double>());
        for (var round = 0; round < Rounds; round++)
        {
            using var polly = new PollyPartitions();
            ours.Add(Created(new OurPartitions(Keys)));
            peers.Add(Created(polly));
            ratios.Add(ours[^1] / peers[^1]);
        }

        return new Measurement(new RatioRow(name, Middle(ours), Middle(peers), Middle(ratios), "ns/key", 0, 0), ratios.Min(), ratios.Max());
    }

    private static Measurement Bytes(string name, double ours)
    {
        using var polly = new PollyPartitions();
        var peer = Kept(polly);
        return new Measurement(new RatioRow(name, ours, peer, ours / peer, "B", 0, 0), ours / peer, ours / peer);
    }

    private static double Kept<T>(T sides, Action<T>? between = null)
        where T : IPartitions
    {
        // What is made once for all is no part of a key.
        sides.Call("first");
        var keys = Names();
        var before = GC.GetTotalMemory(forceFullCollection: true);
        foreach (var key in keys)
        {
            sides.Call(Text(key));
        }

        between?.Invoke(sides);
        foreach (var key in keys)
        {
            sides.Call(Text(key));
        }

        sides.Rest(keys);
        var after = GC.GetTotalMemory(forceFullCollection: true);
        GC.KeepAlive(sides);
        GC.KeepAlive(keys);
        return (double)(after - before) / Keys;
    }

    private static double Created(IPartitions sides, int count = Keys)
    {
        var keys = Names();
        GC.Collect();
        var start = CpuClock.Nanoseconds();
        for (var key = 0; key < count; key++)
        {
            sides.Call(keys[key]);
        }

        var nanoseconds = CpuClock.Nanoseconds() - start;
        GC.KeepAlive(sides);
        return (double)nanoseconds / count;
    }

    private static string[] Names() => [.. Enumerable.Range(0, Keys).Select(static key => $"tenant-{key:00000}")];

    private static string Text(string key) => new(key.AsSpan());

    private static double Middle(List<double> values) => values.Order().ElementAt(values.Count / 2);
}
