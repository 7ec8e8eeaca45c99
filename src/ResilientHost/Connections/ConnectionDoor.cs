using ResilientHost.Hosting;
using ResilientHost.Telemetry;

namespace ResilientHost.Connections;

/// <summary>Decides whether a connection that was just accepted may stay, and whether open ones should go after their answer.</summary>
/// <remarks>Thread-safe; no member throws.</remarks>
internal sealed class ConnectionDoor : IDisposable
{
    /// <summary>How often the descriptors are counted while no connection comes.</summary>
    public static readonly TimeSpan WatchInterval = TimeSpan.FromMilliseconds(250);

    private readonly Func<ConnectionPolicy> _policy;
    private readonly IServiceLevel _level;
    private readonly IHostDescriptors _descriptors;
    private readonly MonotonicClock _clock;
    private readonly ConnectionMetrics _metrics;
    private readonly ConnectionLog _log;
    private readonly ConnectionRate _rate;
    private readonly Lock _gate = new();
    private ITimer? _watch;
    private bool _disposed;
    private volatile bool _isShort;

    public ConnectionDoor(
        Func<ConnectionPolicy> policy, IServiceLevel level, IHostDescriptors descriptors, MonotonicClock clock, ConnectionMetrics metrics, ConnectionLog log)
    {
        (_policy, _level, _descriptors, _clock, _metrics, _log) = (policy, level, descriptors, clock, metrics, log);
        _rate = new ConnectionRate(clock);
    }

    /// <summary>
    /// Whether answers should end their connection, but for those of critical endpoints and of the suite's own: at <see cref="ServiceLevel.Survival"/>, and from the moment the reserve of descriptors is touched until
    /// it is whole again with a quarter to spare.
    /// </summary>
    /// <remarks>For every request: two reads of memory while all is well. The level is read, not heard of, so that it counts from the very change.</remarks>
    public bool ClosesConnections => (_isShort || IsSurvival) && _policy().Enabled;

    /// <summary>Stands in the way of accepting while there is hardly a descriptor left to accept with.</summary>
    public AcceptPause Pause { get; } = new();

    /// <summary>Whether a connection that was accepted a moment ago may stay; counts and tells when not.</summary>
    public bool Admits()
    {
        try
        {
            var policy = _policy();
            if (policy.Enabled)
            {
                return HasDescriptorsFor(policy) && HasRateFor(policy);
            }
        }
        catch (Exception)
        {
            // A door that broke must not keep the service from its callers: what is thrown here would end the server's accept loop for good.
        }

        return true;
    }

    /// <summary>From now on looks at the descriptors by itself: others open them too, and connections that end are not announced.</summary>
    public void Watch()
    {
        lock (_gate)
        {
            if (_watch is null && !_disposed)
            {
                using (ExecutionContext.IsFlowSuppressed() ? default : ExecutionContext.SuppressFlow())
                {
                    _watch = _clock.Provider.CreateTimer(static state => ((ConnectionDoor)state!).Look(), this, WatchInterval, WatchInterval);
                }
            }
        }
    }

    /// <summary>Counts the descriptors once.</summary>
    public void Look()
    {
        try
        {
            var policy = _policy();
            if (policy.Enabled)
            {
                See(policy);
            }
            else
            {
                _isShort = false;
                Pause.End();
            }
        }
        catch (Exception)
        {
            // On a timer's thread an exception ends the process.
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
            _watch?.Dispose();
        }

        Pause.End();
    }

    // In Shadow the level turns nobody down, here neither.
    private bool IsSurvival => _level.Current == ServiceLevel.Survival && _level.Mode == DegradationMode.Enforce;

    private bool HasDescriptorsFor(ConnectionPolicy policy)
    {
        if (See(policy) is not { } count || count.Left >= policy.ReserveOf(count.Limit))
        {
            return true;
        }

        _metrics.Refused(ResilienceDiagnostics.ConnectionTagValues.Descriptors);
        _log.RefusedForDescriptors(count, policy.ReserveOf(count.Limit));
        return false;
    }

    private bool HasRateFor(ConnectionPolicy policy)
    {
        if (policy.SurvivalConnectionsPerSecond is not { } rate || !IsSurvival || _rate.Take(rate))
        {
            return true;
        }

        _metrics.Refused(ResilienceDiagnostics.ConnectionTagValues.Survival);
        _log.RefusedForSurvival(rate);
        return false;
    }

    private DescriptorCount? See(ConnectionPolicy policy)
    {
        if (_descriptors.Count() is not { } count)
        {
            return null;
        }

        var reserve = policy.ReserveOf(count.Limit);
        if (count.Left < reserve)
        {
            _isShort = true;
        }
        else if (_isShort && count.Left >= reserve + (reserve / 4))
        {
            _isShort = false;
        }

        PauseOrResume(count, reserve);
        return count;
    }

    // Accepting with no descriptor left fails at once and is tried again at once: a whole core for nothing.
    private void PauseOrResume(DescriptorCount count, int reserve)
    {
        if (count.Left >= Math.Clamp(reserve / 8, 1, 8))
        {
            Pause.End();
        }
        else if (Pause.Begin())
        {
            _log.Paused(count);
        }
    }
}
