using Microsoft.Extensions.Logging;
using ResilientHost.Hosting;
using ResilientHost.Recovery;

namespace ResilientHost.Workers;

/// <summary>Writes what iterations, pauses and the watcher have to tell: the first failure of a kind in full, those of its interval in one line. Thread-safe; no member throws.</summary>
internal sealed partial class WorkerIterationLog : IDisposable
{
    private const int MaxNameLength = 128;

    private readonly ILogger _logger;
    private readonly StormGate _storms;

    /// <param name="logger">Where to.</param>
    /// <param name="policy">Tells the interval.</param>
    /// <param name="clock">The clock and its timers.</param>
    public WorkerIterationLog(ILogger<WorkerIterationLog> logger, Func<RecoveryPolicy> policy, MonotonicClock clock)
    {
        _logger = logger;
        _storms = new StormGate(clock, policy, Summarize);
    }

    /// <summary>An iteration failed; the run goes on.</summary>
    public void Failed(string worker, int run, string iteration, Exception exception) => Contain(() =>
    {
        if (!_logger.IsEnabled(LogLevel.Error))
        {
            return;
        }

        var cleaned = LogText.Clean(iteration, MaxNameLength);
        if (_storms.Admit(Fingerprint.Of(FailureKind.Other, exception, $"{worker}/{cleaned}")))
        {
            LogFailed(SafeException.ForLogger(exception), cleaned, worker, run);
        }
    });

    /// <summary>A look of the watcher at one worker failed; it goes on with the others.</summary>
    public void LookFailed(string worker, Exception exception) => Contain(() =>
    {
        if (_storms.Admit(Fingerprint.Of(FailureKind.Other, exception, $"{worker}/(watcher)")))
        {
            LogLookFailed(SafeException.ForLogger(exception), worker);
        }
    });

    /// <summary>Writes what is still only counted.</summary>
    public void Dispose() => _storms.Dispose();

    private static void Contain(Action write)
    {
        try
        {
            write();
        }
        catch (Exception)
        {
            // A logger that throws must not end the worker's run, nor the watcher.
        }
    }

    private void Summarize(StormSummary summary) => Contain(() =>
        LogFailedMore(summary.Fingerprint.Endpoint, summary.Repeats, summary.Fingerprint.ExceptionType, summary.Interval.TotalSeconds));
}
