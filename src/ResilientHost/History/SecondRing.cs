namespace ResilientHost.History;

/// <summary>Calls, failures and refusals of the last 120 seconds. Not thread-safe.</summary>
internal sealed class SecondRing
{
    public const int Length = 120;

    private readonly int[] _calls = new int[Length];
    private readonly int[] _failures = new int[Length];
    private readonly int[] _refused = new int[Length];
    private int _next;
    private int _count;

    /// <summary>Calls in the ring.</summary>
    public long Calls { get; private set; }

    /// <summary>Whether every second is without calls and refusals.</summary>
    public bool IsEmpty => Calls == 0 && !_refused.AsSpan().ContainsAnyExcept(0);

    /// <summary>Adds seconds that have passed since the last time: mostly one, more when the process stood still, over which the calls are spread.</summary>
    public void Add(in CallTotals calls, int seconds)
    {
        for (var second = Math.Max(0, seconds - Length); second < seconds; second++)
        {
            Add(Share(calls.Calls, second, seconds), Share(calls.Failed, second, seconds), Share(calls.RefusedByCircuit, second, seconds));
        }
    }

    /// <summary>Calls per second over the newest of the seconds.</summary>
    public double Rate(int seconds)
    {
        var counted = Math.Min(seconds, _count);
        var sum = 0L;
        for (var back = 1; back <= counted; back++)
        {
            sum += _calls[(_next - back + Length) % Length];
        }

        return counted == 0 ? 0 : sum / (double)counted;
    }

    /// <summary>Copies, oldest first.</summary>
    public (int[] Calls, int[] Failures, int[] Refused) Read() => (Copy(_calls), Copy(_failures), Copy(_refused));

    private static int Share(long total, int second, int seconds) =>
        (int)Math.Min((long)((Int128)total * (second + 1) / seconds) - (long)((Int128)total * second / seconds), int.MaxValue);

    private void Add(int calls, int failures, int refused)
    {
        Calls += calls - _calls[_next];
        (_calls[_next], _failures[_next], _refused[_next]) = (calls, failures, refused);
        _next = (_next + 1) % Length;
        _count = Math.Min(_count + 1, Length);
    }

    private int[] Copy(int[] ring)
    {
        var copy = new int[_count];
        for (var i = 0; i < _count; i++)
        {
            copy[i] = ring[(_next - _count + i + Length) % Length];
        }

        return copy;
    }
}
