using System.Runtime.InteropServices;

namespace ResilientHost.History;

/// <summary>The states that something was in during the last hour, as stretches of time. Pure; not thread-safe.</summary>
/// <remarks>
/// In timestamps, for a wall clock that is set must not tear holes. Stretches that ended more than <paramref name="span"/> ago are dropped. At most <see cref="MaxSegments"/> are kept: beyond, the two
/// oldest become one, in the state that lasted longer.
/// </remarks>
/// <param name="span">How far back, in ticks of the timestamp.</param>
internal sealed class StateStrip(long span)
{
    public const int MaxSegments = 100;

    private readonly List<Segment> _segments = [];
    private string? _suspect;
    private bool _isSeen;

    /// <summary>The state at the end; <see langword="null"/> before the first.</summary>
    public string? Last => _segments.Count == 0 ? null : _segments[^1].State;

    /// <summary>Whether anything but one state was seen within the span.</summary>
    public bool HasMoved => _segments.Count > 1;

    /// <summary>Notes a state that was entered. One that lies before the last is taken to be as old as that.</summary>
    public void Enter(string state, long at, long now)
    {
        _suspect = null;
        at = Math.Min(at, now);
        if (state == Last)
        {
            Correct(at);
            return;
        }

        _isSeen = false;
        if (_segments.Count > 0 && at <= _segments[^1].From)
        {
            // The state before lasted no time at all.
            at = _segments[^1].From;
            _segments.RemoveAt(_segments.Count - 1);
        }

        if (state != Last)
        {
            _segments.Add(new(state, at));
            MergeOldest();
        }
    }

    /// <summary>Compares with what is seen: changes are told one by one, but some time later, and what was told to a full queue never.</summary>
    /// <remarks>A state that was not told of counts when it is seen a second time in a row.</remarks>
    public void Observe(string state, long now)
    {
        if (state == Last)
        {
            _suspect = null;
        }
        else if (state == _suspect || Last is null)
        {
            Enter(state, now, now);
            _isSeen = true;
        }
        else
        {
            _suspect = state;
        }
    }

    /// <summary>Drops what is too old.</summary>
    public void Trim(long now)
    {
        var old = 0;
        while (old + 1 < _segments.Count && _segments[old + 1].From <= now - span)
        {
            old++;
        }

        _segments.RemoveRange(0, old);
    }

    /// <summary>The stretches, oldest first.</summary>
    /// <param name="convert">Makes one of state, begin and end; the end is <see langword="null"/> for the last.</param>
    public IReadOnlyList<T> Read<T>(Func<string, long, long?, T> convert)
    {
        var read = new T[_segments.Count];
        for (var i = 0; i < read.Length; i++)
        {
            read[i] = convert(_segments[i].State, _segments[i].From, i + 1 < read.Length ? _segments[i + 1].From : null);
        }

        return read;
    }

    // Seen before it was told of: now it is known since when.
    private void Correct(long at)
    {
        if (_isSeen && at < _segments[^1].From && (_segments.Count == 1 || at > _segments[^2].From))
        {
            _segments[^1] = _segments[^1] with { From = at };
        }

        _isSeen = false;
    }

    private void MergeOldest()
    {
        if (_segments.Count <= MaxSegments)
        {
            return;
        }

        var (first, second, third) = (_segments[0], _segments[1], _segments[2]);
        var merged = second.From - first.From >= third.From - second.From ? first : second with { From = first.From };
        _segments[0] = merged;
        _segments.RemoveAt(1);
        if (_segments[1].State == merged.State)
        {
            _segments.RemoveAt(1);
        }
    }

    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Segment(string State, long From);
}
