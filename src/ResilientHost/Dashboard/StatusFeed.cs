using System.Collections.Concurrent;
using ResilientHost.History;
using ResilientHost.Hosting;
using ResilientHost.Telemetry;

namespace ResilientHost.Dashboard;

/// <summary>Keeps the pages of all views up to date for as long as there are any: at once when a circuit or the level moves, every second otherwise.</summary>
/// <remarks>All telling is done by one work item at a time, on no thread of whoever moved something.</remarks>
internal sealed class StatusFeed : IDisposable
{
    /// <summary>How long a page may leave what is sent to it.</summary>
    public static readonly TimeSpan StallLimit = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    // Moves are told at once, but in a storm of them reading takes no more than this share of a core.
    private const int SharesOfTime = 20;

    private readonly StatusView[] _views;
    private readonly StatusView _ofUsers;
    private readonly StatusView _ofStrangers;
    private readonly CircuitBreakerRegistry _circuits;
    private readonly IServiceLevel _level;
    private readonly HistoryRecorder _history;
    private readonly EventLog _events;
    private readonly Func<DashboardPolicy> _policy;
    private readonly MonotonicClock _clock;
    private readonly HashSet<CircuitBreaker> _heard = [];
    private readonly Action<Exception> _failed;
    private readonly BoundedListener<Action> _work;
    private readonly ConcurrentQueue<LoggedEvent> _logged = new();
    private readonly Action _tick;
    private readonly Action _tell;
    private readonly Action _tellLogged;
    private readonly ITimer _timer;
    private bool _tickWaits;
    private bool _tellWaits;
    private bool _loggedWaits;
    private bool _ended;
    private long _notBefore;
    private long _heartbeatAt;

    public StatusFeed(StatusView ofUsers, StatusView ofStrangers, StatusFeedSources sources, Func<DashboardPolicy> policy, MonotonicClock clock, Action<Exception> failed)
    {
        (_ofUsers, _ofStrangers, _views) = (ofUsers, ofStrangers, [ofUsers, ofStrangers]);
        (_circuits, _level, _history, _events) = sources;
        (_policy, _clock, _failed) = (policy, clock, failed);
        _work = new(static work => work(), (_, exception) => failed(exception));
        (_tick, _tell, _tellLogged) = (Tick, Tell, TellLogged);
        _heartbeatAt = _notBefore = clock.Timestamp();

        // Made by the request of the first page, whose trace must not own what follows.
        using (ExecutionContext.IsFlowSuppressed() ? default : ExecutionContext.SuppressFlow())
        {
            _timer = clock.Provider.CreateTimer(static state => ((StatusFeed)state!).OnTimer(), this, Interval, Interval);
        }

        _level.Changed += OnLevel;
        _history.Sampled += OnSample;
        _events.Logged += OnLogged;
        Hear();
    }

    public void Dispose()
    {
        _timer.Dispose();
        _level.Changed -= OnLevel;
        _history.Sampled -= OnSample;
        _events.Logged -= OnLogged;
        _work.Remove();
        lock (_heard)
        {
            _ended = true;
            foreach (var circuit in _heard)
            {
                circuit.Transitioned -= OnCircuit;
            }
        }
    }

    private void OnSample(HistorySample sample) => _work.Enqueue(() =>
    {
        // No view of strangers' own: a sample names circuits and no keys.
        byte[]? frame = null;
        ForEachView(view => view.Tell(() => frame ??= StatusFrames.Of(StatusEventNames.Sample, sample, ResilienceHistoryJson.Default.HistorySample)));
    });

    private void OnLogged(LoggedEvent logged)
    {
        _logged.Enqueue(logged);

        // One work item for all that wait: what breaks a hundred circuits at once is one batch for each page.
        if (!Interlocked.Exchange(ref _loggedWaits, true))
        {
            _work.Enqueue(_tellLogged);
        }
    }

    private void TellLogged()
    {
        Volatile.Write(ref _loggedWaits, false);
        var batch = new List<LoggedEvent>();
        while (batch.Count < EventLog.Capacity && _logged.TryDequeue(out var logged))
        {
            batch.Add(logged);
        }

        if (batch.Count == 0)
        {
            return;
        }

        _ofUsers.Tell(() => StatusFrames.Of(StatusEventNames.Event, batch, ResilienceHistoryJson.Default.LoggedEvent));
        _ofStrangers.Tell(() => StatusFrames.Of(StatusEventNames.Event, batch.Select(static logged => logged with { Message = null }), ResilienceHistoryJson.Default.LoggedEvent));
        if (!_logged.IsEmpty && !Interlocked.Exchange(ref _loggedWaits, true))
        {
            _work.Enqueue(_tellLogged);
        }
    }

    private void OnTimer()
    {
        // One that waits is enough, however slow the reading.
        if (!Interlocked.Exchange(ref _tickWaits, true))
        {
            _work.Enqueue(_tick);
        }
    }

    private void OnCircuit(CircuitTransition transition) => OnMove();

    private void OnLevel(ServiceLevelChange change) => OnMove();

    private void OnMove()
    {
        if (!Interlocked.Exchange(ref _tellWaits, true))
        {
            _work.Enqueue(_tell);
        }
    }

    private void Tick()
    {
        Volatile.Write(ref _tickWaits, false);
        Hear();
        TellAll();
        var now = _clock.Timestamp();
        if (_clock.Elapsed(_heartbeatAt, now) >= _policy().Heartbeat)
        {
            _heartbeatAt = now;
            ForEachView(view => view.Tell(() => StatusFrames.Heartbeat(_clock.UtcNow)));
        }

        ForEachView(view => view.EndStalled(now, StallLimit));
    }

    private void Tell()
    {
        var left = _clock.Elapsed(_clock.Timestamp(), _notBefore);
        if (left > TimeSpan.Zero)
        {
            // It stays noted that something moved, and the timer comes for it.
            Volatile.Write(ref _tellWaits, false);
            _timer.Change(left < Interval ? left : Interval, Interval);
            return;
        }

        TellAll();
    }

    private void TellAll()
    {
        // Before the reading: what moves during it is told again.
        Volatile.Write(ref _tellWaits, false);
        var start = _clock.Timestamp();
        ForEachView(static view => view.Tell());

        var end = _clock.Timestamp();
        _notBefore = end + ((end - start) * SharesOfTime);
    }

    // What fails for users must not silence strangers, nor the signs of life of either.
    private void ForEachView(Action<StatusView> act)
    {
        foreach (var view in _views)
        {
            try
            {
                act(view);
            }
            catch (Exception exception)
            {
                _failed(exception);
            }
        }
    }

    /// <summary>Listens to circuits that it does not yet: endpoints get theirs with the first call.</summary>
    private void Hear()
    {
        lock (_heard)
        {
            if (_ended)
            {
                return;
            }

            foreach (var circuit in _circuits.All)
            {
                if (_heard.Add(circuit))
                {
                    circuit.Transitioned += OnCircuit;
                }
            }
        }
    }
}

/// <summary>Whom pages are told of.</summary>
internal sealed record StatusFeedSources(CircuitBreakerRegistry Circuits, IServiceLevel Level, HistoryRecorder History, EventLog Events);
