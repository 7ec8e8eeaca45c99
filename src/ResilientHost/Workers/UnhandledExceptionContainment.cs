using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging;
using ResilientHost.Hosting;
using ResilientHost.Recovery;
using ResilientHost.Telemetry;

namespace ResilientHost.Workers;

/// <summary>Contains what nothing caught, where that was asked for: on threads of the pool, in timers, in <c>async void</c> methods, on threads of the application's.</summary>
/// <remarks>
/// Not contained is what says that the runtime itself cannot go on (<see cref="OutOfMemoryException"/>, <see cref="AccessViolationException"/>, <see cref="StackOverflowException"/> and the like),
/// and what is thrown by <c>Main</c>, for which the runtime does not ask.
/// </remarks>
internal sealed partial class UnhandledExceptionContainment : IDisposable
{
    private readonly Func<WorkerSettings> _settings;
    private readonly InstanceTaint _taint;
    private readonly RecoveredExceptions _recovered;
    private readonly ILogger _logger;
    private readonly StormGate _storms;
    private readonly Counter<long> _contained;
    private readonly ConcurrentDictionary<string, string> _types = new(StringComparer.Ordinal);
    private readonly Func<Exception, bool> _handler;
    private int _isStarted;

    public UnhandledExceptionContainment(
        Func<WorkerSettings> settings,
        Func<RecoveryPolicy> recovery,
        InstanceTaint taint,
        RecoveredExceptions recovered,
        ResilienceMeter meter,
        ILogger<UnhandledExceptionContainment> logger,
        MonotonicClock clock)
    {
        _settings = settings;
        _taint = taint;
        _recovered = recovered;
        _logger = logger;
        _storms = new(clock, recovery, Summarize);
        _contained = meter.Meter.CreateCounter<long>(ResilienceDiagnostics.Instruments.UnhandledContained, "{exception}", "Exceptions that nothing had caught and that were contained.");
        _handler = TryContain;
    }

    /// <summary>Begins to contain, if that is asked for.</summary>
    /// <exception cref="InvalidOperationException">Somebody else holds the process' handler.</exception>
    public void Start()
    {
        if (_settings().ContainsUnhandledExceptions && Interlocked.Exchange(ref _isStarted, 1) == 0)
        {
            UnhandledExceptions.Subscribe(_handler);
        }
    }

    public void Stop()
    {
        if (Interlocked.Exchange(ref _isStarted, 0) == 1)
        {
            UnhandledExceptions.Unsubscribe(_handler);
            _storms.Flush();
        }
    }

    public void Dispose()
    {
        Stop();
        _storms.Dispose();
    }

    /// <summary>Decides about one exception, and tells of it when it is contained. Runs on the thread that threw; must not throw.</summary>
    internal bool TryContain(Exception exception)
    {
        // Nothing is done about what is not contained: the runtime asks twice then.
        if (!IsContainable(exception) || !IsEnabled())
        {
            return false;
        }

        _taint.Add(exception);
        Tell(exception);
        return true;
    }

    private static bool IsContainable(Exception exception) => exception is not (
        OutOfMemoryException or StackOverflowException or AccessViolationException or BadImageFormatException or TypeInitializationException { InnerException: OutOfMemoryException });

    private bool IsEnabled()
    {
        try
        {
            return _settings().Enabled;
        }
        catch (Exception)
        {
            // Settings in force never throw; if they did all the same, containing was asked for.
            return true;
        }
    }

    private void Tell(Exception exception)
    {
        try
        {
            _recovered.TryMark(exception);
            _contained.Add(1, new KeyValuePair<string, object?>(ResilienceDiagnostics.Tags.ExceptionType, Cap(TypeNames.Of(exception))));
        }
        catch (Exception)
        {
            // A meter listener that throws must not decide whether the process lives.
        }

        try
        {
            if (_storms.Admit(Fingerprint.Of(FailureKind.Other, exception, "-")))
            {
                LogContained(_logger, SafeException.ForLogger(exception), Environment.CurrentManagedThreadId, Thread.CurrentThread.Name ?? "-");
            }
        }
        catch (Exception)
        {
            // Nor a logger.
        }
    }

    // Two threads may overshoot the cap by one each; it bounds cardinality, it does not count it.
    private string Cap(string type) => _types.TryGetValue(type, out var known) ? known : _types.Count < RecoveryMetrics.MaxTypes ? _types.GetOrAdd(type, type) : "other";

    private void Summarize(StormSummary summary)
    {
        try
        {
            LogMoreContained(_logger, summary.Repeats, summary.Fingerprint.ExceptionType, LogText.Clean(summary.Fingerprint.Site.ToString(), 512), summary.Interval.TotalSeconds);
        }
        catch (Exception)
        {
            // On a timer's thread an exception is one that nothing catches.
        }
    }

    [LoggerMessage(
        EventIds.Workers + 70, LogLevel.Critical, "An exception that nothing caught was contained on thread {ThreadId} ({ThreadName}). This instance is tainted: state may be half changed, locks may be held for ever. Replace it.")]
    private static partial void LogContained(ILogger logger, Exception exception, int threadId, string threadName);

    [LoggerMessage(EventIds.Workers + 71, LogLevel.Critical, "{Count} more exceptions of type {ExceptionType} at {Site} that nothing caught were contained within {Seconds} s.")]
    private static partial void LogMoreContained(ILogger logger, long count, string exceptionType, string site, double seconds);
}
