using ResilientHost.Hosting;

namespace ResilientHost.Outbound;

/// <summary>Looks on while one client shakes hands: counts certificates that are not accepted, and tells whose were. Thread-safe.</summary>
/// <remarks>Decides nothing: whoever decided before, the application's own validation or the framework, does so still.</remarks>
/// <param name="client">The client's name.</param>
/// <param name="clock">The host's.</param>
/// <param name="telemetry">Told of certificates that are not accepted.</param>
/// <param name="watchOf">The watch of an authority that the client calls; <see langword="null"/>: it calls none there.</param>
internal sealed class CertificateObserver(string client, MonotonicClock clock, CertificateTelemetry telemetry, Func<Uri, CertificateWatch?> watchOf)
{
    private volatile bool _isObserving;
    private int _saidSo;

    /// <summary>Whether the client's handshakes are seen.</summary>
    public bool IsObserving => _isObserving;

    public DateTimeOffset UtcNow => clock.UtcNow;

    /// <summary>Begins to look on; before the handler sends its first request, and after everybody else has configured it.</summary>
    /// <param name="handler">The client's primary handler, whoever made it; wrapped as it may be.</param>
    public void Observe(HttpMessageHandler? handler)
    {
        var primary = handler;
        while (primary is DelegatingHandler { InnerHandler: { } inner })
        {
            primary = inner;
        }

        _isObserving = CertificateTap.TryPut(primary, this);
        if (!_isObserving && Interlocked.Exchange(ref _saidSo, 1) == 0)
        {
            telemetry.NotObserved(client, primary?.GetType().Name ?? "none");
        }
    }

    /// <summary>A handshake ended with a certificate that was accepted. Never throws: the connection is good.</summary>
    public void Accepted(Uri authority, CertificateDates dates)
    {
        try
        {
            watchOf(authority)?.Accepted(dates);
        }
        catch (Exception)
        {
            // A logger that throws must not cost a connection.
        }
    }

    /// <summary>A handshake ended with one that was not. Never throws.</summary>
    public void NotAccepted(CertificateFault fault) => telemetry.Count(client, fault.Kind);
}
