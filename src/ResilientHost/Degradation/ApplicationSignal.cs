using System.Globalization;
using ResilientHost.Signals;

namespace ResilientHost.Degradation;

/// <summary>A signal of the application's own as a source: contained, so that it can do no harm but to itself.</summary>
/// <remarks>
/// Once started it is read on a thread of its own, for it may hang, and what the sampler takes is the answer to the pass before. One that has not answered for <see cref="PatientPasses"/> passes has
/// no say until it does. Not started, it is read by whoever asks.
/// </remarks>
internal sealed class ApplicationSignal : ISignalSource
{
    /// <summary>Passes of the sampler for which an answer may be late.</summary>
    public const int PatientPasses = 3;

    private const int MaxNameLength = 64;

    private readonly IDegradationSignal _signal;
    private readonly DegradationLog _log;
    private readonly object _asked = new();
    private bool _told;
    private bool _isStarted;
    private volatile bool _isStopping;
    private volatile bool _isReading; // Set under the lock by who asks; cleared by who answers, once the answer is there.
    private double _answer = double.NaN;
    private int _passesWithoutAnswer;

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

    /// <summary>From now on reads on a thread of its own.</summary>
    public void Start()
    {
        _isStarted = true;
        new Thread(Run) { IsBackground = true, Name = $"ResilientHost signal {Name}" }.UnsafeStart();
    }

    /// <summary>Ends the thread once the signal returns. Does not wait for it.</summary>
    public void Stop()
    {
        lock (_asked)
        {
            _isStopping = true;
            Monitor.Pulse(_asked);
        }
    }

    public double Read(long now)
    {
        if (!_isStarted)
        {
            return Ask();
        }

        if (!_isReading)
        {
            _passesWithoutAnswer = 0;
            var answer = Volatile.Read(ref _answer);
            lock (_asked)
            {
                _isReading = true;
                Monitor.Pulse(_asked);
            }

            return answer;
        }

        if (++_passesWithoutAnswer < PatientPasses)
        {
            return Volatile.Read(ref _answer);
        }

        if (!_told)
        {
            _told = true;
            _log.SignalHangs(Name);
        }

        return double.NaN;
    }

    private void Run()
    {
        while (true)
        {
            lock (_asked)
            {
                while (!_isReading && !_isStopping)
                {
                    Monitor.Wait(_asked);
                }
            }

            if (_isStopping)
            {
                return;
            }

            Volatile.Write(ref _answer, Ask());
            _isReading = false;
        }
    }

    private double Ask()
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
