using Microsoft.Extensions.Options;
using ResilientHost.Hosting;
using ResilientHost.Signals;

namespace ResilientHost.Degradation;

/// <summary>Reads the signals, on a thread of its own: neither a starved thread pool nor a signal of the application's that hangs must blind it.</summary>
/// <remarks>
/// The wait between two passes is a real one, whatever the registered clock; how much time has passed is that clock's to say. <see cref="Start"/> and <see cref="Stop"/> are the host's, one
/// after the other.
/// </remarks>
internal sealed class DegradationSampler : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private readonly DegradationControl _control;
    private readonly Func<IReadOnlyList<ISignalSource>> _sources;
    private readonly IEnumerable<IDegradationSignal> _ofApplication;
    private readonly MonotonicClock _clock;
    private readonly DegradationLog _log;
    private readonly Func<IReadOnlyList<(string Name, string? Why)>>? _missing;
    private readonly ManualResetEventSlim _stopping = new();
    private ISignalSource[] _watched = [];
    private IReadOnlyList<ApplicationSignal> _applicationSignals = [];
    private double[] _raw = [];
    private Thread? _thread;

    /// <param name="control">Is told what was read.</param>
    /// <param name="sources">The suite's own signals; asked once, at start.</param>
    /// <param name="ofApplication">The application's signals.</param>
    /// <param name="clock">Dates the readings.</param>
    /// <param name="log">Told what is missing or fails.</param>
    /// <param name="missing">Why some of the suite's own signals are not among the sources.</param>
    public DegradationSampler(
        DegradationControl control,
        Func<IReadOnlyList<ISignalSource>> sources,
        IEnumerable<IDegradationSignal> ofApplication,
        MonotonicClock clock,
        DegradationLog log,
        Func<IReadOnlyList<(string Name, string? Why)>>? missing = null)
    {
        _control = control;
        _sources = sources;
        _ofApplication = ofApplication;
        _clock = clock;
        _log = log;
        _missing = missing;
    }

    /// <summary>Finds the signals and begins to read them.</summary>
    /// <exception cref="OptionsValidationException">A signal of the application's cannot be used; tells every error of every signal.</exception>
    public void Start()
    {
        Find();
        foreach (var signal in _applicationSignals)
        {
            signal.Start();
        }

        // Unsafe start: no context of whoever starts the host belongs to what is sampled for years after.
        _thread = new Thread(Run) { IsBackground = true, Name = "ResilientHost signals", Priority = ThreadPriority.AboveNormal };
        _thread.UnsafeStart();
    }

    /// <summary>Ends the sampling, in a second at most: what does not return is left behind.</summary>
    public void Stop()
    {
        _stopping.Set();
        _thread?.Join(Patience);
        foreach (var signal in _applicationSignals)
        {
            signal.Stop();
        }
    }

    public void Dispose() => Stop();

    /// <summary>Says what there is to read. <see cref="Start"/> does.</summary>
    internal void Find()
    {
        var own = _sources();
        var errors = new List<string>();
        var ofApplication = _ofApplication.Select(signal => ApplicationSignal.Create(signal, _log, errors)).OfType<ApplicationSignal>().ToList();
        errors.AddRange(ofApplication
            .GroupBy(signal => signal.Name, StringComparer.Ordinal)
            .Where(twins => twins.Skip(1).Any())
            .Select(twins => $"Degradation signal '{twins.Key}': Name must be unique, but {twins.Count()} signals have it."));
        if (errors.Count > 0)
        {
            throw new OptionsValidationException(nameof(IDegradationSignal), typeof(IDegradationSignal), errors);
        }

        _applicationSignals = ofApplication;
        _watched = [.. own, .. ofApplication];
        _raw = new double[_watched.Length];
        _control.Watch(new SignalBoard([.. own.Select(source => new SignalTrack(source.Name)), .. ofApplication.Select(signal => new SignalTrack(signal.Name, signal.Thresholds))]));
        TellMissing(own);
    }

    /// <summary>One pass: reads every signal and hands the readings over. Survives whatever they do.</summary>
    internal void Sample()
    {
        if (!_control.Policy.Enabled)
        {
            return;
        }

        try
        {
            var now = _clock.Timestamp();
            for (var i = 0; i < _watched.Length; i++)
            {
                _raw[i] = Read(_watched[i], now);
            }

            _control.Observe(now, _raw);
            for (var i = 0; i < _watched.Length; i++)
            {
                if (_control.IsHeldBy(i))
                {
                    _watched[i].Confirm(now);
                }
            }
        }
        catch (Exception exception)
        {
            _log.PassFailed(exception);
        }
    }

    private double Read(ISignalSource source, long now)
    {
        try
        {
            return source.Read(now);
        }
        catch (Exception exception)
        {
            // Sources do not throw. One that does all the same must not silence the others.
            _log.PassFailed(exception);
            return double.NaN;
        }
    }

    private void Run()
    {
        while (!_stopping.Wait(_control.Policy.SampleInterval))
        {
            Sample();
        }
    }

    private void TellMissing(IReadOnlyList<ISignalSource> own)
    {
        var reasons = _missing?.Invoke() ?? [];
        var missing = DegradationSignals.All
            .Except(own.Select(source => source.Name), StringComparer.Ordinal)
            .Select(name => (name, reasons.FirstOrDefault(reason => reason.Name == name).Why))
            .ToList();
        if (missing.Count > 0)
        {
            _log.Missing(missing);
        }
    }
}
