using ResilientHost.Benchmarks.Ratios;

namespace ResilientHost.Benchmarks.Sizes;

/// <summary>Calls many things one after the other, round and round, in an order that no cache foresees.</summary>
internal sealed class GoingRound<T> : IOperation
{
    private readonly T[] _things;
    private readonly Func<T, ValueTask<int>> _call;
    private int _next;

    public GoingRound(IEnumerable<T> things, Func<T, ValueTask<int>> call)
    {
        _things = [.. things];
        _call = call;
        new Random(1).Shuffle(_things);
    }

    public void Run(int count) => RunAsync(count).GetAwaiter().GetResult();

    private async Task RunAsync(int count)
    {
        for (var call = 0; call < count; call++)
        {
            await _call(_things[_next]);
            if (++_next == _things.Length)
            {
                _next = 0;
            }
        }
    }
}
