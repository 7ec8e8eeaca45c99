using Microsoft.Extensions.Logging;
using ResilientHost.Dashboard;
using ResilientHost.Hosting;
using ResilientHost.Telemetry;

namespace ResilientHost.History;

/// <summary>Keeps what the dashboard shows of the past: two minutes by second, an hour coarser, and the latest events. Thread-safe.</summary>
/// <remarks>
/// Does nothing until <see cref="IsWanted"/> and the host has started, and keeps nothing but events while <see cref="DashboardOptions.KeepHistory"/> is off; both only cost requests one look at a
/// null. While it runs, a timer of the registered clock fires four times a second; nothing that fails there ends it, and stopping waits for nothing.
/// </remarks>
internal sealed partial class HistoryRecorder : IDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);

    private readonly Lock _gate = new();
    private readonly BoundedListeners<HistorySample> _listeners = new();
    private readonly CircuitBreakerRegistry _circuitBreakers;
    private readonly BulkheadRegistry _bulkheads;
    private readonly WorkerRegistry _workers;
    private readonly IServiceLevel _level;
    private readonly RequestWatches _requests;
    private readonly EventLog _events;
    private readonly ILoggerFactory _loggers;
    private readonly ILogger _logger;
    private readonly ResilienceSettingsSource _settings;
    private readonly ResilienceInstance _instance;
    private readonly MonotonicClock _clock;
    private readonly LogStorm _failures;
    private readonly long _span;
    private readonly CallWatch _others = new();
    private readonly CircuitTracks _circuits;
    private DashboardPolicy? _policy;
    private HistoryTracks? _tracks;
    private ITimer? _timer;
    private HistorySample? _latest;
    private long _changes;
    private bool _isWanted;
    private bool _hasStarted;
    private bool _isObserving;

    public HistoryRecorder(
        CircuitBreakerRegistry circuitBreakers,
        BulkheadRegistry bulkheads,
        WorkerRegistry workers,
        IServiceLevel level,
        RequestWatches requests,
        EventLog events,
        ILoggerFactory loggers,
        ResilienceSettingsSource settings,
        ResilienceInstance instance,
        MonotonicClock clock)
    {
        (_circuitBreakers, _bulkheads, _workers, _level, _requests) = (circuitBreakers, bulkheads, workers, level, requests);
        (_events, _loggers, _settings, _instance, _clock) = (events, loggers, settings, instance, clock);
        _logger = loggers.CreateLogger<HistoryRecorder>();
        _failures = new(clock.Provider, more => LogMoreFailed(_logger, more, LogStorm.Interval.TotalSeconds));
        _span = clock.ToTimestampTicks(TimeSpan.FromHours(1));
        _circuits = new(_others, _span);
    }

    /// <summary>Raised about once a second while the recorder runs.</summary>
    /// <remarks>Handlers run on the thread pool, one sample at a time for each. One that blocks or throws harms nobody.</remarks>
    public event Action<HistorySample>? Sampled
    {
        add => _listeners.Add(value);
        remove => _listeners.Remove(value);
    }

    /// <summary>Whether somebody may ask for it: set by whoever maps a dashboard, before or after the host has started. Events are kept from then on.</summary>
    public bool IsWanted
    {
        get => Volatile.Read(ref _isWanted);
        set
        {
            lock (_gate)
            {
                if (value == _isWanted)
                {
                    return;
                }

                _isWanted = value;
                if (value)
                {
                    // Not registered as others are: an application that clears its providers, or has none of its own, still sees these on its dashboard.
                    _loggers.AddProvider(_events);
                    TellIfEventsAreLost();
                }
            }

            Follow();
        }
    }

    /// <summary>Whether a history is being kept.</summary>
    public bool IsRunning => Volatile.Read(ref _tracks) is not null;

    /// <summary>Another one whenever there is something new to read.</summary>
    public long Version => Interlocked.Read(ref _changes) + _events.Count;

    /// <summary>Whether the suite's log events reach what keeps them.</summary>
    public bool KeepsEvents => _events.IsReached;

    /// <summary>The sample of the newest second; <see langword="null"/> before the first and while no history is kept.</summary>
    public HistorySample? Latest => Volatile.Read(ref _latest);

    /// <summary>All that is kept; without a history only the events.</summary>
    /// <param name="namesCallers">Whether messages of events, which may name callers, are told.</param>
    public ResilienceHistory Read(bool namesCallers)
    {
        var events = _events.Read(namesCallers);
        lock (_gate)
        {
            return _tracks?.Read(_instance.Name, events) ?? new(_instance.Name, _clock.UtcNow, IntervalSeconds: 1, [], new ServiceTrack().Read(_clock.UtcNow), [], [], events);
        }
    }

    /// <summary>How busy and how quick a circuit is.</summary>
    /// <returns>Whether its history is kept.</returns>
    public bool TryRead(CircuitBreaker circuit, out CircuitRates rates)
    {
        lock (_gate)
        {
            var track = _tracks?.Circuits.Find(circuit);
            rates = track?.Rates() ?? default;
            return track is not null;
        }
    }

    /// <summary>The host has started.</summary>
    public void Start()
    {
        lock (_gate)
        {
            _hasStarted = true;
        }

        Follow();
    }

    /// <summary>The host stops.</summary>
    public void Stop()
    {
        lock (_gate)
        {
            _hasStarted = false;
            Settle();
        }
    }

    public void Dispose()
    {
        Stop();
        _failures.Dispose();
    }

    // Serilog's factory, unless told otherwise, takes no provider and says nothing.
    private void TellIfEventsAreLost()
    {
        if (_events.IsReached)
        {
            return;
        }

        LogEventsKept(_logger);
        if (!_events.IsReached && _logger.IsEnabled(LogLevel.Information))
        {
            LogEventsLost(_logger, _loggers.GetType().FullName);
        }
    }

    // Not under the lock: registry and settings call back under theirs.
    private void Follow()
    {
        lock (_gate)
        {
            if (!_isWanted || !_hasStarted || _isObserving)
            {
                Settle();
                return;
            }

            _isObserving = true;
        }

        _circuitBreakers.Observe(OnMade, OnMoved);
        _level.Changed += OnLevelChanged;
        _workers.Transitioned += OnWorkerMoved;
        _settings.Subscribe(static settings => settings.Dashboard, Apply);
    }

    private void Apply(DashboardPolicy policy)
    {
        lock (_gate)
        {
            _policy = policy;
            Settle();
            if (_tracks is not null)
            {
                _circuits.Limit(policy.MaxCircuits, _clock.Timestamp());
                Note();
            }
        }
    }

    /// <summary>Runs, or does not, as everybody together has asked for. Under the lock.</summary>
    private void Settle()
    {
        var isToRun = _isWanted && _hasStarted && _policy is { KeepsHistory: true };
        if (isToRun == _tracks is not null)
        {
            return;
        }

        if (isToRun)
        {
            Volatile.Write(ref _tracks, new HistoryTracks(_clock, _circuits, _span));
            _requests.Others = _others;
            _circuits.Start(_policy!.MaxCircuits, _clock.Timestamp());
            Note();
            using (ExecutionContext.IsFlowSuppressed() ? default : ExecutionContext.SuppressFlow())
            {
                _timer = _clock.Provider.CreateTimer(static state => ((HistoryRecorder)state!).OnTimer(), this, Pause, Timeout.InfiniteTimeSpan);
            }
        }
        else
        {
            _timer?.Dispose();
            _timer = null;
            _requests.Others = null;
            _circuits.Stop();
            Note();
            Volatile.Write(ref _latest, null);
            Volatile.Write(ref _tracks, null);
        }
    }

    private void OnTimer()
    {
        HistorySample? sample = null;
        try
        {
            sample = Tick();
        }
        catch (Exception exception)
        {
            // On a timer's thread an exception ends the process, and with the history the page would stand still without a word.
            TellFailed(exception);
        }

        if (sample is not null)
        {
            _listeners.Raise(sample);
        }

        lock (_gate)
        {
            // One shot at a time: two passes never overlap, however long one takes.
            _timer?.Change(Pause, Timeout.InfiniteTimeSpan);
        }
    }

    private HistorySample? Tick()
    {
        lock (_gate)
        {
            if (_tracks is not { } tracks)
            {
                return null;
            }

            tracks.Circuits.Open();
            var now = _clock.Timestamp();
            if (!tracks.IsDue(now))
            {
                return null;
            }

            var sample = tracks.EndSecond(now, _level.Snapshot(), _workers.All, InFlight());
            Volatile.Write(ref _latest, sample);
            Note();
            return sample;
        }
    }

    private int InFlight()
    {
        var sum = 0;
        foreach (var bulkhead in _bulkheads.All)
        {
            sum += bulkhead.InFlight;
        }

        return sum;
    }

    private void OnMade(CircuitBreaker circuit, bool isOutbound)
    {
        lock (_gate)
        {
            _circuits.Add(circuit, !isOutbound, _clock.Timestamp());
            Note();
        }
    }

    private void OnMoved(CircuitBreaker circuit, CircuitTransition transition)
    {
        lock (_gate)
        {
            _tracks?.Enter(circuit, transition, _clock.Timestamp());
            Note();
        }
    }

    private void OnLevelChanged(ServiceLevelChange change)
    {
        lock (_gate)
        {
            _tracks?.Enter(change, _clock.Timestamp());
            Note();
        }
    }

    private void OnWorkerMoved(WorkerTransition transition)
    {
        lock (_gate)
        {
            _tracks?.Enter(transition, _clock.Timestamp());
            Note();
        }
    }

    // Under the lock, after the change; read without it.
    private void Note() => Interlocked.Increment(ref _changes);

    private void TellFailed(Exception exception)
    {
        try
        {
            if (_failures.Admit())
            {
                LogFailed(_logger, exception);
            }
        }
        catch (Exception)
        {
            // Nobody is left to tell.
        }
    }

    [LoggerMessage(EventIds.Dashboard + 20, LogLevel.Error, "A second of the dashboard's history could not be recorded; the next one is tried as before.", EventName = "HistoryFailed")]
    private static partial void LogFailed(ILogger logger, Exception exception);

    [LoggerMessage(EventIds.Dashboard + 21, LogLevel.Error, "{Count} more seconds of the dashboard's history could not be recorded within {Seconds} s.", EventName = "HistoryFailedMore")]
    private static partial void LogMoreFailed(ILogger logger, long count, double seconds);

    [LoggerMessage(EventIds.Dashboard + 22, LogLevel.Information, "The latest events of the layers are kept for the dashboard.", EventName = "EventsKept")]
    private static partial void LogEventsKept(ILogger logger);

    [LoggerMessage(
        EventIds.Dashboard + 23,
        LogLevel.Warning,
        "The dashboard shows no events: {LoggerFactory} hands them to no provider that is added to it. With Serilog, call UseSerilog(..., writeToProviders: true).",
        EventName = "EventsLost")]
    private static partial void LogEventsLost(ILogger logger, string? loggerFactory);
}
