namespace ResilientHost.History;

/// <summary>The circuits whose history is kept: all while there are no more than may be, else those in trouble and the busiest. Not thread-safe.</summary>
/// <param name="others">Counts requests to endpoints whose circuit has no track.</param>
/// <param name="span">How long states are kept, in ticks.</param>
internal sealed class CircuitTracks(CallWatch others, long span)
{
    /// <summary>A pass over those without a track takes so many seconds.</summary>
    private const int PassSeconds = 10;

    /// <summary>Most tracks that change hands in a second.</summary>
    private const int MaxChanges = 16;

    private readonly List<Known> _known = [];
    private readonly Dictionary<CircuitBreaker, Known> _byCircuit = [];
    private readonly List<(CircuitTrack Track, int Seconds)> _retired = [];
    private readonly List<CircuitTrack> _tracks = [];
    private CallTotals _seenOfOthers;
    private bool _isRunning;
    private int _max;
    private int _hand;

    /// <summary>Those whose history is kept.</summary>
    public IReadOnlyList<CircuitTrack> All => _tracks;

    /// <summary>A circuit has been made.</summary>
    public void Add(CircuitBreaker circuit, bool isInbound, long now)
    {
        var known = new Known(circuit, isInbound);
        if (_byCircuit.TryAdd(circuit, known))
        {
            _known.Add(known);
            Begin(known, now);
        }
    }

    public CircuitTrack? Find(CircuitBreaker circuit) => _byCircuit.GetValueOrDefault(circuit)?.Track;

    /// <summary>Begins to watch.</summary>
    public void Start(int max, long now)
    {
        (_isRunning, _max) = (true, max);
        _known.ForEach(known => Begin(known, now));
    }

    /// <summary>Forgets everything but which circuits there are.</summary>
    public void Stop()
    {
        _isRunning = false;
        foreach (var known in _known)
        {
            known.Circuit.Watch = null;
            known.Track = null;
        }

        _tracks.Clear();
        _retired.Clear();
    }

    /// <summary>Keeps the history of so many at most.</summary>
    public void Limit(int max, long now)
    {
        _max = max;
        foreach (var track in _tracks.OrderBy(WeightOf).Take(_tracks.Count - max).ToList())
        {
            Retire(track);
        }

        foreach (var known in _known)
        {
            Begin(known, now);
        }
    }

    /// <summary>Lets each watch measure some more.</summary>
    public void Open()
    {
        others.Open();
        _tracks.ForEach(static track => track.Watch.Open());
    }

    /// <summary>Ends a second for all of them.</summary>
    public void EndSecond(int seconds, int slots, bool thoroughly, ServiceTrack service, long now)
    {
        foreach (var track in _tracks)
        {
            track.EndSecond(seconds, slots, service);
            track.Look(now, thoroughly);
        }

        EndSecondOfOthers(service);
        for (var i = _retired.Count - 1; i >= 0; i--)
        {
            // Calls that began under it may still end.
            var (track, left) = _retired[i];
            track.EndSecond(seconds, slots, service);
            if (left <= seconds)
            {
                _retired.RemoveAt(i);
            }
            else
            {
                _retired[i] = (track, left - seconds);
            }
        }

        Replace(now);
    }

    private void EndSecondOfOthers(ServiceTrack service)
    {
        Span<int> durations = stackalloc int[LatencyBuckets.Count];
        durations.Clear();
        var total = others.Read();
        service.Add(total - _seenOfOthers, durations, others.TakeDurations(durations));
        _seenOfOthers = total;
    }

    private void Begin(Known known, long now)
    {
        if (!_isRunning || known.Track is not null)
        {
            return;
        }

        if (_tracks.Count >= _max)
        {
            known.Circuit.Watch = known.IsInbound ? others : null;
            return;
        }

        known.Track = new(known.Circuit, known.IsInbound, span);
        known.Track.Look(now, thoroughly: true);
        _tracks.Add(known.Track);
        known.Circuit.Watch = known.Track.Watch;
    }

    // How busy a circuit without a track is says its own window, roughly.
    private void Replace(long now)
    {
        if (_tracks.Count == _known.Count)
        {
            return;
        }

        var changes = 0;
        var victim = Victim();
        for (var looks = (_known.Count + PassSeconds - 1) / PassSeconds; looks > 0 && changes < MaxChanges; looks--)
        {
            _hand = (_hand + 1) % _known.Count;
            var known = _known[_hand];
            if (known.Track is not null)
            {
                continue;
            }

            var (state, calls) = known.Circuit.Glance();
            if (state == CircuitState.Closed && calls == 0)
            {
                continue;
            }

            if (_tracks.Count >= _max)
            {
                // Twice as much: two that are as busy must not take each other's place every ten seconds.
                if (victim is null || (state == CircuitState.Closed && (victim.States.HasMoved || calls <= 2 * victim.Load)))
                {
                    continue;
                }

                Retire(victim);
            }

            Begin(known, now);
            changes++;
            victim = Victim();
        }
    }

    /// <summary>The least busy one that is closed, and has been for the whole hour where there is such a one.</summary>
    private CircuitTrack? Victim() => _tracks.Count < _max ? null : _tracks.MinBy(WeightOf) is { Circuit.State: CircuitState.Closed } least ? least : null;

    private static (bool, bool, long) WeightOf(CircuitTrack track) => (track.Circuit.State != CircuitState.Closed, track.States.HasMoved, track.Load);

    private void Retire(CircuitTrack track)
    {
        var known = _byCircuit[track.Circuit];
        known.Track = null;
        known.Circuit.Watch = known.IsInbound ? others : null;
        _tracks.Remove(track);
        _retired.Add((track, PassSeconds));
    }

    private sealed class Known(CircuitBreaker circuit, bool isInbound)
    {
        public CircuitBreaker Circuit { get; } = circuit;

        public bool IsInbound { get; } = isInbound;

        public CircuitTrack? Track { get; set; }
    }
}
