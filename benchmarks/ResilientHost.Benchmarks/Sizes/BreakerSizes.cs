using Polly;
using ResilientHost.Benchmarks.CircuitBreaking;

namespace ResilientHost.Benchmarks.Sizes;

/// <summary>Breakers, each for something of its own: alone, looked up by key, and Polly's.</summary>
internal sealed class BreakerSizes() : SizeStudy("breakers", "Circuit breakers", "A call through each in turn, in random order, and what each keeps. Beyond the processor's caches a call waits for memory.", "breakers")
{
    private const int FewestKept = 1_000;
    private static readonly CircuitBreakerOptions Options = new() { MaxPartitions = 1_000_000 };
    private bool _isWarm;

    public override IReadOnlyList<int> Sizes { get; } = [1, 10, 100, 1_000, 10_000, 100_000];

    public override IReadOnlyList<SizeColumn> Columns { get; } =
    [
        new("ours", "call", "ns"), new("ours by key", "call", "ns"), new("Polly", "call", "ns"),
        new("ours", "memory", "B each"), new("ours by key", "memory", "B each"), new("Polly", "memory", "B each"),
    ];

    public override double[] Measure(int size)
    {
        string[] keys = [.. Enumerable.Range(0, size).Select(static key => $"tenant-{key}")];
        var (alone, aloneBytes) = Keep(size, static () => new CircuitBreaker("benchmark", Options), Call);
        var (polly, pollyBytes) = Keep(size, static () => PollyCalls.Breaker(minimumThroughput: 20), CallPolly);
        var before = Figure.BytesInUse();
        CircuitBreakerPartitions<string> partitions = new("benchmark", Options);
        GoingRound<string> byKey = new(keys, key => GuardedCalls.GuardAsync(partitions.Get(key), Work.Succeeds));
        byKey.Run(size);
        var keyedBytes = (Figure.BytesInUse() - before) / (double)size;
        GoingRound<CircuitBreaker> ours = new(alone.Take(size), Call);
        GoingRound<ResiliencePipeline<int>> peer = new(polly.Take(size), CallPolly);
        if (!_isWarm)
        {
            Figure.WarmUp(ours, byKey, peer);
            _isWarm = true;
        }

        return [.. Figure.NanosecondsPerCall(size, ours, byKey, peer), aloneBytes, size < FewestKept ? double.NaN : keyedBytes, pollyBytes];
    }

    private static ValueTask<int> Call(CircuitBreaker breaker) => GuardedCalls.GuardAsync(breaker, Work.Succeeds);

    private static ValueTask<int> CallPolly(ResiliencePipeline<int> pipeline) => pipeline.ExecuteAsync(Work.Succeeds);

    // Each has had its first call. Of a few, enough are made for their bytes to show.
    private static (T[] Things, double BytesEach) Keep<T>(int size, Func<T> make, Func<T, ValueTask<int>> call)
        where T : class
    {
        var things = new T[Math.Max(size, FewestKept)];
        var before = Figure.BytesInUse();
        for (var index = 0; index < things.Length; index++)
        {
            things[index] = make();
            call(things[index]).AsTask().GetAwaiter().GetResult();
        }

        return (things, (Figure.BytesInUse() - before) / (double)things.Length);
    }
}
