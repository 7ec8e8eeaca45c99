using System.Diagnostics.Metrics;
using System.Globalization;
using Microsoft.Extensions.Logging;
using ResilientHost.Hosting;
using ResilientHost.Telemetry;

namespace ResilientHost.Outbound;

/// <summary>What certificates of servers tell: a gauge of a bounded number of authorities, a counter, log lines. Thread-safe; nothing here throws.</summary>
internal sealed partial class CertificateTelemetry : IDisposable
{
    /// <summary>Authorities that the gauge shows and warnings are given for. Who calls more has them from its callers, as with web hooks, and their certificates are not its own affair.</summary>
    public const int MaxAuthorities = 100;

    private readonly Lock _gate = new();

    // Weak: authorities come and go with the clients' tables, which are what bounds them.
    private readonly Dictionary<(string Client, string Authority), WeakReference<CertificateWatch>> _listed = [];
    private readonly ILogger<CertificateTelemetry> _logger;
    private readonly MonotonicClock _clock;
    private readonly Counter<long> _faults;
    private readonly LogStorm _storm;

    public CertificateTelemetry(ILogger<CertificateTelemetry> logger, MonotonicClock clock, ResilienceMeter meter)
    {
        _logger = logger;
        _clock = clock;
        _storm = new LogStorm(clock.Provider, NotAcceptedMore);
        _faults = meter.Meter.CreateCounter<long>(ResilienceDiagnostics.Instruments.OutboundCertificateFaults, "{handshake}", "TLS handshakes whose server certificate was not accepted.");
        meter.Meter.CreateObservableGauge(ResilienceDiagnostics.Instruments.OutboundCertificateExpiry, Expiry, "s", "Time until the certificate of an authority expires; negative when it has.");
    }

    /// <summary>Takes an authority into the gauge, and allows its warnings.</summary>
    /// <returns><see langword="false"/>: there are enough.</returns>
    public bool TryList(CertificateWatch watch)
    {
        lock (_gate)
        {
            var key = (watch.Client, watch.Authority);
            if (!_listed.ContainsKey(key) && _listed.Count >= MaxAuthorities)
            {
                ForgetGone();
            }

            if (!_listed.ContainsKey(key) && _listed.Count >= MaxAuthorities)
            {
                return false;
            }

            _listed[key] = new(watch);
            return true;
        }
    }

    public void Count(string client, CertificateFaultKind kind)
    {
        try
        {
            _faults.Add(1, new(ResilienceDiagnostics.Tags.OutboundClient, client), new(ResilienceDiagnostics.Tags.CertificateFault, CertificateNames.Of(kind)));
        }
        catch (Exception)
        {
            // A meter listener that throws would otherwise end a handshake for another reason.
        }
    }

    /// <summary>A certificate that is not accepted has opened a circuit, or would have.</summary>
    /// <param name="watch">Of the authority.</param>
    /// <param name="fault">What is wrong with it.</param>
    /// <param name="duration">How long the circuit breaks; <see langword="null"/>: it does not do so by itself.</param>
    public void Faulted(CertificateWatch watch, CertificateFault fault, TimeSpan? duration)
    {
        if (_storm.Admit())
        {
            Contain(() =>
            {
                if (duration is { } time)
                {
                    NotAccepted(watch.Client, watch.Authority, fault.Description, time.TotalSeconds);
                }
                else
                {
                    NotAcceptedWithoutBreak(watch.Client, watch.Authority, fault.Description);
                }
            });
        }
    }

    /// <summary>A handshake succeeded after such a fault.</summary>
    public void Mended(CertificateWatch watch, CertificateDates dates) => Contain(() => AcceptedAgain(watch.Client, watch.Authority, Text(dates.NotAfter)));

    public void Expiring(CertificateWatch watch, CertificateDates dates, TimeSpan left) => Contain(() =>
    {
        if (left > TimeSpan.Zero)
        {
            Expires(watch.Client, watch.Authority, dates.Subject, Text(dates.NotAfter), Math.Round(left.TotalDays, 1));
        }
        else
        {
            HasExpired(watch.Client, watch.Authority, dates.Subject, Text(dates.NotAfter));
        }
    });

    public void NotObserved(string client, string handler) => Contain(() => CannotObserve(client, handler));

    public void Dispose() => _storm.Dispose();

    private static void Contain(Action log)
    {
        try
        {
            log();
        }
        catch (Exception)
        {
            // A logger that throws must not cost a call, nor what its attempt holds.
        }
    }

    private static string Text(DateTimeOffset time) => string.Create(CultureInfo.InvariantCulture, $"{time:yyyy-MM-dd HH:mm:ss}Z");

    private List<Measurement<double>> Expiry()
    {
        var now = _clock.UtcNow;
        var measurements = new List<Measurement<double>>();
        lock (_gate)
        {
            foreach (var listed in _listed.Values)
            {
                if (listed.TryGetTarget(out var watch) && watch is { NotAfter: { } end, Host: { } host })
                {
                    measurements.Add(new(
                        Math.Round((end - now).TotalSeconds),
                        new(ResilienceDiagnostics.Tags.OutboundClient, watch.Client),
                        new(ResilienceDiagnostics.Tags.ServerAddress, host),
                        new(ResilienceDiagnostics.Tags.ServerPort, watch.Port)));
                }
            }
        }

        return measurements;
    }

    private void ForgetGone()
    {
        foreach (var (key, listed) in _listed)
        {
            if (!listed.TryGetTarget(out _))
            {
                _listed.Remove(key);
            }
        }
    }
}
