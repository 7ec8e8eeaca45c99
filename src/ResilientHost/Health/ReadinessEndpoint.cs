using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using ResilientHost.Hosting;
using ResilientHost.Shutdown;
using ResilientHost.Telemetry;

namespace ResilientHost.Health;

/// <summary><c>GET ready</c>: the framework's checks, with its options, under a limit.</summary>
/// <remarks>
/// The framework waits for every check, however long. A probe must have its answer, and a stopping host must be able to say so while a check hangs. Checks are asked once at a time, and every probe
/// that comes meanwhile gets the same report: one that hangs costs one run, however many probes there are. A run that hangs is left behind after the limit, for a check may have lost one answer for good
/// and give the next; the more of them hang, the longer it takes until another begins.
/// </remarks>
internal sealed partial class ReadinessEndpoint : IDisposable
{
    /// <summary>How long checks may take together.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    // Of the limit, with each run that hangs: a check that always does is asked about a dozen times an hour.
    private const int MaxDoublings = 5;

    private static readonly HealthReport Draining = ReportOf("resilience-shutdown", "The host is stopping.");
    private static readonly HealthReport Unmade = ReportOf("resilience-readiness", "A check could not be made.");
    private static readonly HealthReport TooSlow = ReportOf("resilience-readiness", $"Checks have not ended after {Limit.TotalSeconds} s.");

    private readonly HealthCheckService _checks;
    private readonly HealthCheckOptions _options;
    private readonly ShutdownSequence _shutdown;
    private readonly MonotonicClock _clock;
    private readonly ILogger _logger;
    private readonly LogStorm _tooSlow;
    private readonly LogStorm _unmade;
    private readonly Lock _gate = new();
    private Task<HealthReport>? _run;
    private long _began;
    private int _hanging;

    public ReadinessEndpoint(HealthCheckService checks, IOptions<HealthCheckOptions> options, ShutdownSequence shutdown, MonotonicClock clock, ILogger<ReadinessEndpoint> logger)
    {
        (_checks, _options, _shutdown, _clock, _logger) = (checks, options.Value, shutdown, clock, logger);
        _tooSlow = new LogStorm(clock.Provider, more => ChecksHangMore(more, LogStorm.Interval.TotalSeconds));
        _unmade = new LogStorm(clock.Provider, more => ChecksCannotBeMadeMore(more, LogStorm.Interval.TotalSeconds));
    }

    public async Task InvokeAsync(HttpContext context)
    {
        var report = await ReportAsync(context.RequestAborted);
        if (!_options.AllowCachingResponses)
        {
            var headers = context.Response.Headers;
            headers.CacheControl = "no-store, no-cache";
            headers.Pragma = "no-cache";
            headers.Expires = "Thu, 01 Jan 1970 00:00:00 GMT";
        }

        context.Response.StatusCode = _options.ResultStatusCodes[report.Status];
        await _options.ResponseWriter(context, report);
    }

    public void Dispose()
    {
        _tooSlow.Dispose();
        _unmade.Dispose();
    }

    private async Task<HealthReport> ReportAsync(CancellationToken aborted)
    {
        if (_shutdown.IsDraining)
        {
            return Draining;
        }

        var run = Run();
        if (run.IsCompletedSuccessfully)
        {
            return run.Result;
        }

        using var ending = CancellationTokenSource.CreateLinkedTokenSource(aborted, _shutdown.IsHeeded ? _shutdown.Asked : CancellationToken.None);
        try
        {
            // A check that heeds its token ends by itself; one that does not is left behind.
            var report = await run.WaitAsync(Limit, _clock.Provider, ending.Token);
            return _shutdown.IsDraining ? Draining : report == TooSlow ? TellTooSlow() : report;
        }
        catch (TimeoutException)
        {
            return TellTooSlow();
        }
        catch (OperationCanceledException) when (_shutdown.IsDraining)
        {
            return Draining;
        }
    }

    private HealthReport TellTooSlow()
    {
        if (_tooSlow.Admit())
        {
            ChecksHang(Limit.TotalSeconds);
        }

        return TooSlow;
    }

    private Task<HealthReport> Run()
    {
        lock (_gate)
        {
            var now = _clock.Timestamp();
            if (_run is { IsCompleted: false } run)
            {
                if (_clock.Elapsed(_began, now) < Limit * (1 << Math.Min(_hanging, MaxDoublings)))
                {
                    return run;
                }

                _hanging++;
                _ = ForgetAsync(run);
            }

            _began = now;
            return _run = RunAsync();
        }
    }

    private async Task ForgetAsync(Task run)
    {
        await run.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        lock (_gate)
        {
            _hanging--;
        }
    }

    private async Task<HealthReport> RunAsync()
    {
        // No probe's own token: others wait for the same run.
        using var limit = new CancellationTokenSource(Limit, _clock.Provider);
        try
        {
            return await _checks.CheckHealthAsync(_options.Predicate, limit.Token);
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            return TooSlow;
        }
        catch (Exception exception)
        {
            // What a check throws is its own report. What throws here is its making, which the framework does not guard.
            if (_unmade.Admit())
            {
                CheckCannotBeMade(exception);
            }

            return Unmade;
        }
    }

    private static HealthReport ReportOf(string check, string description) => new(
        new Dictionary<string, HealthReportEntry> { [check] = new(HealthStatus.Unhealthy, description, TimeSpan.Zero, exception: null, data: null) },
        TimeSpan.Zero);

    [LoggerMessage(
        EventId = EventIds.Dashboard + 60,
        EventName = "ReadinessChecksHang",
        Level = LogLevel.Warning,
        Message = "Health checks have not ended after {Seconds} s, and the instance is not ready. Give the check that hangs a timeout of its own. Further probes are counted and summed up.")]
    private partial void ChecksHang(double seconds);

    [LoggerMessage(
        EventId = EventIds.Dashboard + 61,
        EventName = "ReadinessChecksHangMore",
        Level = LogLevel.Warning,
        Message = "{Count} more probes of readiness found health checks that did not end within {Seconds} s.")]
    private partial void ChecksHangMore(long count, double seconds);

    [LoggerMessage(
        EventId = EventIds.Dashboard + 62,
        EventName = "ReadinessCheckCannotBeMade",
        Level = LogLevel.Error,
        Message = "A health check cannot be made, and the instance is not ready. Register what its constructor or its factory asks for. Further probes are counted and summed up.")]
    private partial void CheckCannotBeMade(Exception exception);

    [LoggerMessage(
        EventId = EventIds.Dashboard + 63,
        EventName = "ReadinessChecksCannotBeMadeMore",
        Level = LogLevel.Error,
        Message = "{Count} more probes of readiness found a health check that cannot be made, within {Seconds} s.")]
    private partial void ChecksCannotBeMadeMore(long count, double seconds);
}
