using System.Globalization;
using ResilientHost.Signals;

namespace ResilientHost.Degradation;

/// <summary>A signal of the application's own as a source: contained, so that it can do no harm but to itself.</summary>
/// <remarks>Read by one thread.</remarks>
internal sealed class ApplicationSignal : ISignalSource
{
    private const int MaxNameLength = 64;

    private readonly IDegradationSignal _signal;
    private readonly DegradationLog _log;
    private bool _told;

    private ApplicationSignal(IDegradationSignal signal, string name, SignalThresholds thresholds, DegradationLog log)
    {
        _signal = signal;
        _log = log;
        Name = name;
        Thresholds = thresholds;
    }

    public string Name { get; }

    public SignalThresholds Thresholds { get; }

    /// <summary>Reads name and thresholds, once.</summary>
    /// <param name="signal">The application's.</param>
    /// <param name="log">Told when the signal has no say.</param>
    /// <param name="errors">Gets what is wrong with it.</param>
    /// <returns>The source; <see langword="null"/> when something is wrong.</returns>
    public static ApplicationSignal? Create(IDegradationSignal signal, DegradationLog log, List<string> errors)
    {
        var type = signal.GetType();
        try
        {
            var name = signal.Name;
            var thresholds = new SignalThresholds(signal.Enter, signal.Exit, IsEnabled: true);
            var before = errors.Count;
            errors.AddRange(Errors(type, name, thresholds));
            return errors.Count == before ? new ApplicationSignal(signal, name, thresholds, log) : null;
        }
        catch (Exception exception)
        {
            errors.Add($"Degradation signal {type}: Name, Enter and Exit must be readable at start, but one threw {exception.GetType()}: {exception.Message}");
            return null;
        }
    }

    public double Read(long now)
    {
        try
        {
            var value = _signal.Read();
            if (!double.IsFinite(value))
            {
                TellOnce(exception: null);
            }

            return value;
        }
        catch (Exception exception)
        {
            TellOnce(exception);
            return double.NaN;
        }
    }

    private static IEnumerable<string> Errors(Type type, string? name, SignalThresholds thresholds)
    {
        if (name is not { Length: > 0 and <= MaxNameLength } || name.Any(c => c is not ((>= 'a' and <= 'z') or (>= '0' and <= '9') or '_')))
        {
            yield return $"Degradation signal {type}: Name must be 1 to {MaxNameLength} lower case letters, digits and underscores, but is '{Recovery.LogText.Clean(name, 2 * MaxNameLength)}'.";
        }
        else if (DegradationSignals.All.Contains(name))
        {
            yield return $"Degradation signal {type}: Name must not be one of the suite's own signals, but is '{name}'.";
        }

        // NaN fails every comparison, so the rules are written as what must hold.
        if (!double.IsFinite(thresholds.Exit))
        {
            yield return $"Degradation signal {type}: Exit must be a finite number, but is {Text(thresholds.Exit)}.";
        }
        else if (!double.IsFinite(thresholds.Enter) || !(thresholds.Enter > thresholds.Exit))
        {
            yield return $"Degradation signal {type}: Enter must be above Exit ({Text(thresholds.Exit)}), but is {Text(thresholds.Enter)}.";
        }
    }

    private static string Text(double value) => value.ToString(CultureInfo.InvariantCulture);

    private void TellOnce(Exception? exception)
    {
        if (!_told)
        {
            _told = true;
            _log.SignalSilent(Name, exception);
        }
    }
}
