namespace ResilientHost.IsolatedTasks;

/// <summary>What an observation came to.</summary>
internal enum LeakChange
{
    None,
    Began,
    Ended,
}

/// <summary>Tells tasks that pile up from tasks that come and go, by the least number that lived in each eighth of a window.</summary>
/// <remarks>
/// <para>
/// Bursts raise the most that live at once, not the least: only what does not end does. A leak is reported when, over a whole window, the least number never fell from one
/// part to the next and rose at least three times, and one of two things speaks against chance: the oldest task is as old as the window, or the number grew by more than three times the square root of
/// what it was, which is three standard deviations of a number of tasks that come independently.
/// </para>
/// <para>One report per episode: it ends when fewer live than when it was reported. Not thread-safe; times are ticks of whatever clock the caller reads.</para>
/// </remarks>
internal sealed class LeakDetector
{
    /// <summary>Parts of a window.</summary>
    public const int Parts = 8;

    private const int Rises = 3;

    private readonly int[] _least = new int[Parts];
    private int _known;
    private long _window;
    private long _partStart;
    private int _leastOfPart;
    private int _leastWhenReported;

    /// <summary>Whether an episode is under way.</summary>
    public bool IsLeaking { get; private set; }

    /// <summary>How many more lived at least in the last part than in the first one of the window that was reported.</summary>
    public int Growth { get; private set; }

    /// <summary>To be told whenever the number falls; rises need no telling.</summary>
    public void Fell(int live) => _leastOfPart = Math.Min(_leastOfPart, live);

    /// <summary>Looks at the present, several times per part.</summary>
    /// <param name="now">The time.</param>
    /// <param name="live">How many live.</param>
    /// <param name="oldestAge">How long the oldest of them has, in ticks.</param>
    /// <param name="window">How long growth must go on, in ticks; when it changes, the past is forgotten.</param>
    /// <param name="threshold">How many must live.</param>
    public LeakChange Observe(long now, int live, long oldestAge, long window, int threshold)
    {
        if (window != _window)
        {
            _window = window;
            Forget(now, live);
        }

        Fell(live);
        if (IsLeaking && (live < threshold || _leastOfPart < _leastWhenReported))
        {
            IsLeaking = false;
            Forget(now, live);
            return LeakChange.Ended;
        }

        if (!CloseParts(now, live) || IsLeaking || live < threshold || !Grew(oldestAge))
        {
            return LeakChange.None;
        }

        IsLeaking = true;
        _leastWhenReported = _least[^1];
        Growth = _least[^1] - _least[0];
        return LeakChange.Began;
    }

    /// <summary>Whether a part has ended. A time without observations counts as parts that had the same least number.</summary>
    private bool CloseParts(long now, int live)
    {
        var part = Math.Max(1, _window / Parts);
        var ended = (now - _partStart) / part;
        if (ended <= 0)
        {
            return false;
        }

        for (var i = 0; i < Math.Min(ended, Parts); i++)
        {
            Array.Copy(_least, 1, _least, 0, Parts - 1);
            _least[^1] = _leastOfPart;
            _known = Math.Min(_known + 1, Parts);
        }

        _partStart += ended * part;
        _leastOfPart = live;
        return true;
    }

    private bool Grew(long oldestAge)
    {
        var rises = 0;
        for (var i = 1; i < Parts; i++)
        {
            if (_least[i] < _least[i - 1])
            {
                return false;
            }

            rises += _least[i] > _least[i - 1] ? 1 : 0;
        }

        var growth = (long)_least[^1] - _least[0];
        return _known == Parts && rises >= Rises && (oldestAge >= _window || growth * growth > 9L * _least[0]);
    }

    private void Forget(long now, int live)
    {
        _known = 0;
        _partStart = now;
        _leastOfPart = live;
    }
}
