using ResilientHost.Hosting;

namespace ResilientHost.Outbound;

/// <summary>What is known of one authority's certificate, and what follows from it: its circuit, and the warning before it runs out. Thread-safe.</summary>
/// <remarks>
/// A fault opens the circuit at once and for long: nobody but a person at the other end can mend it, and every further handshake costs both sides. It stands until a handshake succeeds; each call that
/// is let through meanwhile and runs into it again doubles the break.
/// </remarks>
internal sealed class CertificateWatch
{
    // Doubling beyond this is beyond any day.
    private const int MaxDoublings = 20;
    private static readonly TimeSpan LookInterval = TimeSpan.FromHours(1);
    private static readonly TimeSpan WarningInterval = TimeSpan.FromDays(1);

    private readonly Lock _gate = new();
    private readonly OutboundClient _client;
    private readonly CircuitBreaker _circuitBreaker;
    private readonly MonotonicClock _clock;
    private readonly CertificateTelemetry _telemetry;
    private volatile CertificateDates? _dates;
    private volatile CertificateFault? _fault;
    private long _nextLook = long.MaxValue;
    private long? _warnedAt;
    private int _breaks;
    private bool _isListed;

    /// <param name="client">Whose calls; its policy is asked each time.</param>
    /// <param name="authority">Whose circuit a fault opens. One that others share, or that is not https, has no certificate of its own.</param>
    /// <param name="clock">The host's.</param>
    /// <param name="telemetry">Told of what changes.</param>
    public CertificateWatch(OutboundClient client, OutboundAuthority authority, MonotonicClock clock, CertificateTelemetry telemetry)
    {
        _client = client;
        _circuitBreaker = authority.CircuitBreaker;
        _clock = clock;
        _telemetry = telemetry;
        Authority = authority.Authority;
        if (authority.Key.Scheme == Uri.UriSchemeHttps)
        {
            Host = authority.Key.Host;
            Port = authority.Key.Port;
        }
    }

    public string Client => _client.Name;

    public string Authority { get; }

    /// <summary><see langword="null"/>: it has no certificate of its own.</summary>
    public string? Host { get; }

    public int Port { get; }

    /// <summary>When the certificate of the latest handshake runs out; <see langword="null"/>: none succeeded yet, or nobody watches.</summary>
    public DateTimeOffset? NotAfter => _dates?.NotAfter;

    /// <summary>What is wrong with the certificate of the latest handshake; <see langword="null"/>: nothing that is known.</summary>
    public CertificateFaultKind? Fault => _fault?.Kind;

    /// <summary>An attempt begins: says so in the log, once a day, when the certificate is about to run out. Connections live for weeks, and no handshake would come to notice.</summary>
    /// <param name="timestamp">Now.</param>
    public void Look(long timestamp)
    {
        if (timestamp >= Volatile.Read(ref _nextLook))
        {
            LookAtDates(timestamp);
        }
    }

    /// <summary>A handshake succeeded.</summary>
    public void Accepted(CertificateDates dates)
    {
        if (Host is null)
        {
            return;
        }

        bool mended;
        lock (_gate)
        {
            mended = _fault is not null;
            _dates = dates;
            _fault = null;
            _breaks = 0;
            _isListed = _isListed || _telemetry.TryList(this);
        }

        if (mended)
        {
            _telemetry.Mended(this, dates);
        }

        LookAtDates(_clock.CoarseTimestamp());
    }

    /// <summary>An attempt found the certificate not to be accepted.</summary>
    /// <param name="fault">What is wrong with it.</param>
    /// <param name="sentTo">Where the request went in the end: the transport follows redirects, and another authority's certificate is no fault of this one.</param>
    /// <param name="permit">What the attempt had of the circuit.</param>
    public void NotAccepted(CertificateFault fault, Uri? sentTo, in CircuitPermit permit)
    {
        if (!IsHere(sentTo))
        {
            return;
        }

        TimeSpan? duration;
        lock (_gate)
        {
            _fault = fault;

            // Handshakes that were under way when one of them failed tell nothing new: the circuit has gone on since they were let in. Nor does a call that a shadow lets through an open circuit.
            var circuit = _circuitBreaker.Snapshot();
            if (circuit.Era != permit.Era || circuit.State is CircuitState.Open or CircuitState.Isolated)
            {
                return;
            }

            var wanted = Duration(_breaks);
            duration = wanted;
            if (_circuitBreaker.Break(wanted, CircuitTransitionCause.CertificateFault) is null)
            {
                duration = null;
            }
            else
            {
                _breaks = Math.Min(_breaks + 1, MaxDoublings);
            }
        }

        _telemetry.Faulted(this, fault, duration);
    }

    private bool IsHere(Uri? sentTo) =>
        Host is not null && (sentTo is null || (sentTo.IsAbsoluteUri && sentTo.Port == Port && string.Equals(sentTo.IdnHost, Host, StringComparison.OrdinalIgnoreCase)));

    private TimeSpan Duration(int doublings)
    {
        var policy = _client.Policy;
        var limit = Math.Max(policy.CertificateBreakDuration.Ticks, policy.CircuitBreaker.MaxBreakDuration.Ticks);
        return TimeSpan.FromTicks((long)Math.Min(policy.CertificateBreakDuration.Ticks * Math.Pow(2, doublings), limit));
    }

    private void LookAtDates(long now)
    {
        CertificateDates dates;
        TimeSpan left;
        lock (_gate)
        {
            _nextLook = now + _clock.ToTimestampTicks(LookInterval);
            if (_dates is null)
            {
                return;
            }

            dates = _dates;
            left = dates.NotAfter - _clock.UtcNow;
            var warning = _client.Policy.CertificateWarning;
            if (!_isListed || warning == TimeSpan.Zero || left > warning || (_warnedAt is { } before && _clock.Elapsed(before, now) < WarningInterval))
            {
                return;
            }

            _warnedAt = now;
        }

        _telemetry.Expiring(this, dates, left);
    }
}
