using System.Globalization;
using Microsoft.Extensions.Logging;
using ResilientHost.Hosting;
using ResilientHost.Recovery;
using ResilientHost.Telemetry;

namespace ResilientHost.Degradation;

/// <summary>Tells of the service level, its signals and requests that were turned down. Thread-safe; no member throws.</summary>
internal sealed partial class DegradationLog : IDisposable
{
    private const int MaxNameLength = 512;

    private readonly ILogger _logger;
    private readonly LogStorm _sheds;
    private readonly LogStorm _passes;

    public DegradationLog(ILogger<DegradationLog> logger, MonotonicClock clock)
    {
        _logger = logger;
        _sheds = new LogStorm(clock.Provider, more => MoreShed(more, LogStorm.Interval.TotalSeconds));
        _passes = new LogStorm(clock.Provider, more => MorePassesFailed(more, LogStorm.Interval.TotalSeconds));
    }

    public void Changed(ServiceLevelChange change, bool isEnforced) => Contain(() =>
    {
        // What a person did is told as an override, changed level or not.
        if (change.Cause == ServiceLevelCause.Overload)
        {
            Rose(change.From, change.To, change.Signal, change.At, isEnforced ? "requests are turned down by their criticality" : "in shadow mode none is turned down", Text(change.Signals));
        }
        else if (change.Cause == ServiceLevelCause.Recovery)
        {
            Fell(change.From, change.To, change.At, Text(change.Signals));
        }
        else if (change.Cause == ServiceLevelCause.OverrideEnded)
        {
            Resumed(change.From, change.To, change.At, Text(change.Signals));
        }
    });

    public void Overridden(LevelOverride set, ServiceLevel signalled) => Contain(() =>
        HeldByHand(set.Level, Name(set.By), set.Until is { } until ? until.ToString("O", CultureInfo.InvariantCulture) : "it is cleared", signalled));

    public void OverrideEnded(LevelOverride ended, ServiceLevel level, bool hasExpired, string? by) => Contain(() =>
        HandTakenOff(ended.Level, Name(ended.By), hasExpired ? "has expired" : $"was cleared by {Name(by)}", level));

    public void ListenerFailed(Exception exception) => Contain(() => ListenerThrew(exception));

    /// <param name="missing">Names, and why where that is known.</param>
    public void Missing(IReadOnlyList<(string Name, string? Why)> missing) => Contain(() =>
        SignalsMissing(string.Join("; ", missing.Select(signal => signal.Why is null ? signal.Name : $"{signal.Name} ({LogText.Clean(signal.Why, MaxNameLength)})"))));

    public void SignalSilent(string name, Exception? exception) => Contain(() =>
        SignalHasNoSay(exception, name, exception is null ? "gave no finite number" : "threw"));

    public void SignalHangs(string name) => Contain(() => SignalHasNoSay(exception: null, name, "does not return"));

    public void PassFailed(Exception exception) => Contain(() =>
    {
        if (_passes.Admit())
        {
            FirstPassFailed(exception);
        }
    });

    public void Shed(string endpoint, Criticality criticality, Shedding shedding)
    {
        try
        {
            // No closure: in a storm this is called for each request that is turned down.
            if (_logger.IsEnabled(LogLevel.Warning) && _sheds.Admit())
            {
                FirstShed(LogText.Clean(endpoint, MaxNameLength), criticality, shedding.Level, shedding.Severity);
            }
        }
        catch (Exception)
        {
            // As Contain says.
        }
    }

    public void Dispose()
    {
        _sheds.Dispose();
        _passes.Dispose();
    }

    private static string Name(string? by) => by is null ? "someone" : LogText.Clean(by, MaxNameLength);

    private static string Text(IReadOnlyList<SignalReading> signals) => string.Join(", ", signals
        .Where(signal => signal.Value is not null)
        .Select(signal => string.Create(CultureInfo.InvariantCulture, $"{signal.Name}={signal.Value:0.###} (enter {signal.Enter:0.###}, exit {signal.Exit:0.###}{(signal.IsEnabled ? "" : ", no say")})")));

    private static void Contain(Action write)
    {
        try
        {
            write();
        }
        catch (Exception)
        {
            // A logger that throws costs its line, nothing else.
        }
    }
}
