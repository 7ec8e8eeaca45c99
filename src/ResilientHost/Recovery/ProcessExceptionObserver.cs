using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace ResilientHost.Recovery;

/// <summary>Sees what no request sees: failures of tasks that nobody awaited, and exceptions that are about to end the process.</summary>
/// <remarks>
/// Subscribes between start and stop of its host. With several hosts in a process each logs and counts for itself, because nobody can tell whose
/// exception it was. Nothing here prevents the end of the process; it is logged, counted and, within a bounded time, flushed.
/// </remarks>
internal sealed class ProcessExceptionObserver(
    Func<RecoveryPolicy> policy,
    RecoveredExceptions recovered,
    RecoveryMetrics metrics,
    RecoveryLog log,
    ILoggerFactory loggers,
    IEnumerable<ILoggerProvider> providers) : IHostedService, IDisposable
{
    private int _subscribed;

    /// <summary>How long a dying process waits for its log providers. They write in the background; disposing them is the one flush they all have.</summary>
    internal TimeSpan FlushTimeout { get; set; } = TimeSpan.FromSeconds(2);

    public Task StartAsync(CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref _subscribed, 1) == 0)
        {
            TaskScheduler.UnobservedTaskException += OnUnobservedTaskException;
            AppDomain.CurrentDomain.UnhandledException += OnUnhandledException;
        }

        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        Dispose();
        log.Flush();
        return Task.CompletedTask;
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _subscribed, 0) == 1)
        {
            TaskScheduler.UnobservedTaskException -= OnUnobservedTaskException;
            AppDomain.CurrentDomain.UnhandledException -= OnUnhandledException;
        }
    }

    /// <summary>Runs on the finalizer thread: must not throw.</summary>
    internal void OnUnobservedTaskException(object? sender, UnobservedTaskExceptionEventArgs args)
    {
        if (!IsEnabled())
        {
            return;
        }

        args.SetObserved();
        if (recovered.TryMark(args.Exception))
        {
            metrics.Count(args.Exception.InnerException ?? args.Exception, ExceptionOrigins.UnobservedTask);
            log.UnobservedTask(args.Exception);
        }
    }

    internal void OnUnhandledException(object sender, UnhandledExceptionEventArgs args)
    {
        if (!IsEnabled())
        {
            return;
        }

        // Languages other than C# may throw what is no exception.
        var exception = args.ExceptionObject as Exception ?? new InvalidOperationException("Something that is not an exception was thrown.");
        metrics.Count(exception, ExceptionOrigins.Unhandled);
        log.Unhandled(exception, args.IsTerminating);
        if (args.IsTerminating)
        {
            log.Flush();
            FlushLoggers();
        }
    }

    private void FlushLoggers()
    {
        var flush = new Thread(() =>
        {
            // The factory does not own the providers that came from the container, and some factories have none.
            foreach (var target in providers.Append<IDisposable>(loggers))
            {
                try
                {
                    target.Dispose();
                }
                catch (Exception)
                {
                    // The process is ending; the others may still flush.
                }
            }
        })
        { IsBackground = true, Name = "ResilientHost flush" };
        flush.Start();
        flush.Join(FlushTimeout);
    }

    private bool IsEnabled()
    {
        try
        {
            return policy().Enabled;
        }
        catch (Exception)
        {
            // Configuration that cannot be read is no reason to look away.
            return true;
        }
    }
}
