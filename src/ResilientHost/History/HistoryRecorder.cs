using Microsoft.Extensions.Logging;

namespace ResilientHost.History;

/// <summary>Keeps what the dashboard shows of the past. Thread-safe.</summary>
internal sealed class HistoryRecorder(EventLog events, ILoggerFactory loggers)
{
    private bool _isWanted;

    public bool IsWanted
    {
        get => _isWanted;
        set
        {
            if (value && !_isWanted)
            {
                loggers.AddProvider(events);
            }

            _isWanted = value;
        }
    }

    public bool IsRunning { get; private set; }

    public HistorySample? Latest { get; private set; }

    public event Action<HistorySample>? Sampled;

    public ResilienceHistory Read(bool namesCallers) =>
        new(default, 1, [], new(5, default, [], [], [], [], [], [], [], []), [], [], events.Read(namesCallers));

    public bool TryRead(CircuitBreaker circuit, out CircuitRates rates)
    {
        rates = default;
        return IsRunning && circuit.Watch is not null;
    }

    public void Start() => Sampled?.Invoke(Latest!);

    public void Stop() => IsRunning = false;
}
