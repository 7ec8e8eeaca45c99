using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using ResilientHost.Hosting;
using ResilientHost.Telemetry;

namespace ResilientHost.Shutdown;

/// <summary>What comes before anything stops: readiness turns, and load balancers get the time to see it while requests are still served.</summary>
/// <remarks>
/// The host calls <see cref="IHostedLifecycleService.StoppingAsync"/> of every service before it stops the first. After that the order is the host's: the server drains, workers stop in
/// reverse order of their start, isolated tasks drain, and what telemetry holds is flushed as the container is disposed.
/// </remarks>
/// <param name="policy">What is in force.</param>
/// <param name="limits">How long whoever has to end may take: told in words.</param>
/// <param name="clock">For the delay.</param>
/// <param name="logger">Told of the delay, and of limits that the host does not give the time for.</param>
/// <param name="host">How long the host gives to all of it.</param>
/// <param name="lifetime">Tells that the host is asked to stop.</param>
internal sealed partial class ShutdownSequence(
    Func<ShutdownPolicy> policy,
    Func<ShutdownLimits> limits,
    MonotonicClock clock,
    ILogger<ShutdownSequence> logger,
    IOptions<HostOptions>? host = null,
    IHostApplicationLifetime? lifetime = null) : IHostedLifecycleService, IDisposable
{
    private readonly CancellationTokenSource _asked = CancellationTokenSource.CreateLinkedTokenSource(lifetime?.ApplicationStopping ?? CancellationToken.None);

    /// <summary>Whether the host has been asked to stop.</summary>
    /// <remarks>Asks the host itself, too: callbacks run one after the other, the latest first, and one of the application's that blocks comes before ours.</remarks>
    public bool IsDraining => policy().Enabled && (_asked.IsCancellationRequested || lifetime is { ApplicationStopping.IsCancellationRequested: true });

    /// <summary>Whether readiness heeds that the host stops.</summary>
    public bool IsHeeded => policy().Enabled;

    /// <summary>Cancelled when the host is asked to stop, whether or not that is heeded.</summary>
    public CancellationToken Asked => _asked.Token;

    public void Dispose() => _asked.Dispose();

    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        // Whoever waits for it goes on elsewhere: nobody's work comes before the delay.
        _ = _asked.CancelAsync();
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

    public Task StartedAsync(CancellationToken cancellationToken)
    {
        // Each limit alone may be fine; one after the other they are not, and the last in the row would be cut off.
        var (longest, worker, drain) = limits();
        var (isEnabled, delay) = (policy().Enabled, policy().ReadinessDelay);
        var needed = (isEnabled ? delay : TimeSpan.Zero) + longest + drain;
        if (host?.Value.ShutdownTimeout is { } given && given != Timeout.InfiniteTimeSpan && needed > given)
        {
            LogTooLittleTime(logger, needed.TotalSeconds, isEnabled ? delay.TotalSeconds : 0, longest.TotalSeconds, worker, drain.TotalSeconds, given.TotalSeconds);
        }

        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    [LoggerMessage(
        EventId = EventIds.Shutdown,
        EventName = "ReadinessOff",
        Level = LogLevel.Information,
        Message = "The host is stopping. Readiness is off; requests are served for {Seconds} s more.")]
    private static partial void LogDelay(ILogger logger, double seconds);

    [LoggerMessage(
        EventId = EventIds.Shutdown + 1,
        EventName = "ShutdownTimeoutTooShort",
        Level = LogLevel.Warning,
        Message = "Stopping may take {Needed} s (Shutdown:ReadinessDelay {ReadinessDelay} s, StopTimeout {StopTimeout} s of worker {Worker}, IsolatedTasks:DrainTimeout {DrainTimeout} s), but the host gives {Given} s to all of it. Raise HostOptions.ShutdownTimeout, and what the orchestrator gives, or lower the limits.")]
    private static partial void LogTooLittleTime(
        ILogger logger, double needed, double readinessDelay, double stopTimeout, string worker, double drainTimeout, double given);
}

/// <summary>How long whoever has to end may take.</summary>
/// <param name="LongestStop">The longest limit of a worker; zero when there is none.</param>
/// <param name="Worker">Whose that is.</param>
/// <param name="Drain">The limit of isolated tasks.</param>
internal sealed record ShutdownLimits(TimeSpan LongestStop, string Worker, TimeSpan Drain);
