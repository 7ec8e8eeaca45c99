using Microsoft.Extensions.Logging;
using ResilientHost.Hosting;
using ResilientHost.Recovery;

namespace ResilientHost.Timeouts;

/// <summary>Tells of timeouts: the first of an endpoint within an interval by an entry, the others of the interval by one line.</summary>
/// <remarks>
/// Thread-safe; no member throws. The interval is recovery's <see cref="RecoveryOptions.DetailInterval"/>: one storm should not be told at two paces.
/// </remarks>
internal sealed partial class TimeoutLog : IDisposable
{
    private const int MaxNameLength = 512;

    private readonly ILogger _logger;
    private readonly StormGate _expired;
    private readonly StormGate _overruns;

    public TimeoutLog(ILogger<TimeoutLog> logger, Func<RecoveryPolicy> policy, MonotonicClock clock)
    {
        _logger = logger;
        _expired = new StormGate(clock, policy, summary => Contain(() => MoreExpired(NameOf(summary), summary.Repeats, summary.Interval.TotalSeconds)));
        _overruns = new StormGate(clock, policy, summary => Contain(() => MoreOverruns(NameOf(summary), summary.Repeats, summary.Interval.TotalSeconds)));
    }

    /// <param name="endpoint">The endpoint's key.</param>
    /// <param name="timeout">The timeout that ran out.</param>
    /// <param name="traceId">The request's trace.</param>
    public void Expired(string endpoint, TimeSpan timeout, string traceId) => Contain(() =>
    {
        if (_logger.IsEnabled(LogLevel.Warning) && _expired.Admit(FingerprintOf(endpoint)))
        {
            FirstExpired(LogText.Clean(endpoint, MaxNameLength), timeout.TotalSeconds, traceId);
        }
    });

    /// <param name="endpoint">The endpoint's key.</param>
    /// <param name="timeout">The timeout that was ignored.</param>
    /// <param name="grace">The grace that followed it.</param>
    /// <param name="traceId">The request's trace.</param>
    public void Overran(string endpoint, TimeSpan timeout, TimeSpan grace, string traceId) => Contain(() =>
    {
        if (_logger.IsEnabled(LogLevel.Warning) && _overruns.Admit(FingerprintOf(endpoint)))
        {
            FirstOverrun(LogText.Clean(endpoint, MaxNameLength), timeout.TotalSeconds, grace.TotalSeconds, traceId);
        }
    });

    /// <summary>Sums up what is still only counted.</summary>
    public void Flush()
    {
        _expired.Flush();
        _overruns.Flush();
    }

    public void Dispose()
    {
        _expired.Dispose();
        _overruns.Dispose();
    }

    private static Fingerprint FingerprintOf(string endpoint) => Fingerprint.Other with { Endpoint = endpoint };

    private static string NameOf(in StormSummary summary) => LogText.Clean(summary.Fingerprint.Endpoint, MaxNameLength);

    private static void Contain(Action write)
    {
        try
        {
            write();
        }
        catch (Exception)
        {
            // On a timer's thread an exception ends the process; a logger must not be able to do that.
        }
    }
}
