using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry.Logs;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;
using ResilientHost.Telemetry.Settings;

namespace ResilientHost.Telemetry.Exporting;

/// <summary>The providers of what is exported. Closes them within a bound, whatever the collector does.</summary>
internal sealed class TelemetryProviders : IDisposable
{
    private readonly Lock _gate = new();
    private readonly TimeSpan _bound;
    private readonly TracerProvider? _tracer;
    private readonly MeterProvider? _meter;
    private readonly LoggerProvider? _logger;
    private Task<bool>? _closed;

    public TelemetryProviders(IServiceProvider services, TelemetrySettings settings, ResilienceTelemetryOptions options)
    {
        _bound = options.FlushTimeout;

        // Made in here: the container disposes in reverse order, this first, so that closing is bounded also where no host stops.
        _tracer = settings.Traces is null ? null : services.GetRequiredService<TracerProvider>();
        _meter = settings.Metrics is null ? null : services.GetRequiredService<MeterProvider>();
        _logger = settings.Logs is null ? null : services.GetRequiredService<LoggerProvider>();
    }

    /// <summary>Delivers what is left and ends the exporters. The second caller waits for what the first began.</summary>
    /// <returns>Whether all could be handed over in time.</returns>
    public async Task<bool> CloseAsync(TimeSpan bound)
    {
        try
        {
            return await Begin(bound).WaitAsync(bound);
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    public void Dispose()
    {
        try
        {
            Begin(_bound).Wait(_bound);
        }
        catch (AggregateException)
        {
            // Disposing does not throw; the exporters have told of what they could not deliver.
        }
    }

    private Task<bool> Begin(TimeSpan bound)
    {
        lock (_gate)
        {
            return _closed ??= CloseAllAsync((int)bound.TotalMilliseconds);
        }
    }

    private async Task<bool> CloseAllAsync(int milliseconds)
    {
        // Each blocks its thread for as long as the collector keeps it waiting.
        var results = await Task.WhenAll(
            OnOwnThread(_tracer is null ? null : () => _tracer.Shutdown(milliseconds)),
            OnOwnThread(_meter is null ? null : () => _meter.Shutdown(milliseconds)),
            OnOwnThread(_logger is null ? null : () => _logger.Shutdown(milliseconds)));
        return Array.TrueForAll(results, static result => result);
    }

    private static Task<bool> OnOwnThread(Func<bool>? close)
    {
        if (close is null)
        {
            return Task.FromResult(true);
        }

        var closed = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        var thread = new Thread(() =>
        {
            try
            {
                closed.TrySetResult(close());
            }
            catch (Exception exception)
            {
                closed.TrySetException(exception);
            }
        })
        {
            IsBackground = true,
            Name = "Telemetry shutdown",
        };
        thread.UnsafeStart();
        return closed.Task;
    }
}
