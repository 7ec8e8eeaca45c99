namespace ResilientHost.Workers;

/// <summary>Counts failures and says when there were more than may be. Not thread-safe; times are durations since one origin.</summary>
/// <remarks>
/// Sources: Erlang/OTP's supervisor, which keeps the restarts of the last period, both ends included, and gives up on the one that makes more than its intensity; suture's supervisor, whose count
/// is <c>count × 0.5^(time since the last failure ÷ decay) + 1</c> and must not exceed a threshold. Either may give up; the second counts only where a threshold is set.
/// </remarks>
internal sealed class RestartIntensity
{
    private readonly Queue<TimeSpan> _restarts = new();
    private double _failures;
    private TimeSpan _lastFailure;

    /// <summary>Counts one failure that asks for a restart.</summary>
    /// <returns>Why not to restart, for people; <see langword="null"/> if the restart is allowed.</returns>
    public string? Count(TimeSpan now, RestartLimits limits)
    {
        while (_restarts.TryPeek(out var oldest) && oldest < now - limits.Window)
        {
            _restarts.Dequeue();
        }

        _restarts.Enqueue(now);
        _failures = (_failures * Math.Pow(0.5, (now - _lastFailure) / limits.FailureDecay)) + 1;
        _lastFailure = now;

        if (_restarts.Count > limits.MaxRestarts)
        {
            return $"more than {limits.MaxRestarts} restarts within {limits.Window}";
        }

        return _failures > limits.FailureThreshold
            ? $"a failure count of {_failures:0.##}, which halves every {limits.FailureDecay}, exceeds {limits.FailureThreshold:0.##}"
            : null;
    }

    public void Clear()
    {
        _restarts.Clear();
        _failures = 0;
    }
}
