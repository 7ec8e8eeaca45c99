using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using ResilientHost.Hosting;
using ResilientHost.Telemetry;

namespace ResilientHost.Shutdown;

/// <summary>What comes before anything stops: readiness turns, and load balancers get the time to see it while requests are still served.</summary>
/// <remarks>
/// The host calls <see cref="IHostedLifecycleService.StoppingAsync"/> of every service before it stops the first. After that the order is the host's: the server drains, workers stop in
/// reverse order of their start, isolated tasks drain, and what telemetry holds is flushed as the container is disposed.
/// </remarks>
internal sealed partial class ShutdownSequence(
    Func<ShutdownPolicy> policy, MonotonicClock clock, ILogger<ShutdownSequence> logger, IHostApplicationLifetime? lifetime = null) : IHostedLifecycleService
{
    private bool _isStopping;

    /// <summary>Whether the host has been asked to stop.</summary>
    public bool IsDraining => policy().Enabled && (Volatile.Read(ref _isStopping) || lifetime?.ApplicationStopping.IsCancellationRequested == true);

    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        Volatile.Write(ref _isStopping, true);
        var (isEnabled, delay) = (policy().Enabled, policy().ReadinessDelay);
        if (!isEnabled || delay <= TimeSpan.Zero)
        {
            return;
        }

        LogDelay(logger, delay.TotalSeconds);
        try
        {
            await Task.Delay(delay, clock.Provider, cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // The host is out of time: stop at once.
        }
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    [LoggerMessage(
        EventId = EventIds.Shutdown,
        EventName = "ReadinessOff",
        Level = LogLevel.Information,
        Message = "The host is stopping. Readiness is off; requests are served for {Seconds} s more.")]
    private static partial void LogDelay(ILogger logger, double seconds);
}
