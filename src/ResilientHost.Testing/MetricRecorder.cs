using System.Diagnostics.Metrics;

namespace ResilientHost.Testing;

/// <summary>Records what the meters of one name measure.</summary>
/// <remarks>
/// Thread-safe. Keeps the newest measurements up to its capacity; <see cref="Dropped"/> tells of any that fell out. Meters of the same
/// name made by other hosts in the process are told apart by <c>scope</c>: an <see cref="IMeterFactory"/> of the host makes itself
/// the scope of its meters.
/// </remarks>
public sealed class MetricRecorder : IDisposable
{
    private readonly RecordBuffer<RecordedMeasurement> _buffer;
    private readonly MeterListener _listener = new();

    /// <summary>Starts to record.</summary>
    /// <param name="meterName">Name of the meters to listen to, compared ordinally.</param>
    /// <param name="scope">
    /// Only meters whose <see cref="Meter.Scope"/> is this object, such as the host's <see cref="IMeterFactory"/>;
    /// <see langword="null"/> for meters of any scope.
    /// </param>
    /// <param name="capacity">Measurements kept; at least 1, 100,000 by default. The oldest give way.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="capacity"/> is less than 1.</exception>
    public MetricRecorder(string meterName, object? scope = null, int capacity = 100_000)
    {
        ArgumentNullException.ThrowIfNull(meterName);
        _buffer = new RecordBuffer<RecordedMeasurement>(capacity);
        _listener.InstrumentPublished = (instrument, listener) =>
        {
            if (string.Equals(instrument.Meter.Name, meterName, StringComparison.Ordinal)
                && (scope is null || ReferenceEquals(instrument.Meter.Scope, scope)))
            {
                listener.EnableMeasurementEvents(instrument);
            }
        };
        _listener.SetMeasurementEventCallback<byte>((instrument, value, tags, _) => Add(instrument, value, tags));
        _listener.SetMeasurementEventCallback<short>((instrument, value, tags, _) => Add(instrument, value, tags));
        _listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Add(instrument, value, tags));
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Add(instrument, value, tags));
        _listener.SetMeasurementEventCallback<float>((instrument, value, tags, _) => Add(instrument, value, tags));
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Add(instrument, value, tags));
        _listener.SetMeasurementEventCallback<decimal>((instrument, value, tags, _) => Add(instrument, (double)value, tags));
        _listener.Start();
    }

    /// <summary>Everything recorded and still kept, oldest first; a copy.</summary>
    public IReadOnlyList<RecordedMeasurement> Measurements => _buffer.ToList();

    /// <summary>Number of measurements that fell out because the capacity was reached.</summary>
    public long Dropped => _buffer.Dropped;

    /// <summary>Asks every observable instrument for its present value and records the answers.</summary>
    /// <exception cref="AggregateException">A callback of an instrument threw; the others were asked all the same.</exception>
    public void RecordObservableInstruments() => _listener.RecordObservableInstruments();

    /// <summary>The measurements of one instrument that carry the given tags, oldest first.</summary>
    /// <param name="instrument">Name of the instrument.</param>
    /// <param name="tags">Tags that must match; others do not matter.</param>
    /// <returns>A copy; empty when there are none.</returns>
    public IReadOnlyList<RecordedMeasurement> Of(string instrument, params ReadOnlySpan<(string Name, object? Value)> tags)
    {
        List<RecordedMeasurement> matching = [];
        foreach (var measurement in _buffer.ToList())
        {
            if (string.Equals(measurement.Instrument, instrument, StringComparison.Ordinal) && measurement.HasTags(tags))
            {
                matching.Add(measurement);
            }
        }

        return matching;
    }

    /// <summary>The sum of what a counter, up-down counter or histogram recorded with the given tags; 0 when nothing was.</summary>
    /// <param name="instrument">Name of the instrument.</param>
    /// <param name="tags">Tags that must match; others do not matter.</param>
    /// <returns>The sum over the measurements still kept.</returns>
    /// <exception cref="InvalidOperationException">The instrument is observable: its values are totals already, see <see cref="Last"/>.</exception>
    public double Sum(string instrument, params ReadOnlySpan<(string Name, object? Value)> tags)
    {
        var sum = 0.0;
        foreach (var measurement in Of(instrument, tags))
        {
            sum += measurement.IsObservable
                ? throw new InvalidOperationException($"'{instrument}' is observable: its values are totals already, read the last one.")
                : measurement.Value;
        }

        return sum;
    }

    /// <summary>The value recorded last with the given tags; <see langword="null"/> when nothing was.</summary>
    /// <param name="instrument">Name of the instrument.</param>
    /// <param name="tags">Tags that must match; others do not matter.</param>
    /// <returns>The last value.</returns>
    public double? Last(string instrument, params ReadOnlySpan<(string Name, object? Value)> tags)
    {
        var matching = Of(instrument, tags);
        return matching.Count == 0 ? null : matching[^1].Value;
    }

    /// <summary>Waits for a measurement that meets a condition, one recorded earlier included.</summary>
    /// <param name="predicate">The condition; must not throw.</param>
    /// <param name="timeout">How long to wait, in real time.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The first measurement that meets it.</returns>
    /// <exception cref="TimeoutException">None came in time.</exception>
    /// <exception cref="OperationCanceledException">The wait was cancelled.</exception>
    public Task<RecordedMeasurement> WaitForAsync(Func<RecordedMeasurement, bool> predicate, TimeSpan timeout, CancellationToken cancellationToken = default) =>
        _buffer.WaitForAsync(predicate, timeout, cancellationToken);

    /// <summary>Waits until all that is recorded meets a condition.</summary>
    /// <param name="predicate">The condition; must not throw.</param>
    /// <param name="timeout">How long to wait, in real time.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>A task that ends when the condition is met.</returns>
    /// <exception cref="TimeoutException">It was not met in time.</exception>
    /// <exception cref="OperationCanceledException">The wait was cancelled.</exception>
    public Task WaitUntilAsync(Func<IReadOnlyList<RecordedMeasurement>, bool> predicate, TimeSpan timeout, CancellationToken cancellationToken = default) =>
        _buffer.WaitUntilAsync(predicate, timeout, cancellationToken);

    /// <summary>Forgets what was recorded.</summary>
    public void Clear() => _buffer.Clear();

    /// <summary>Stops recording; what was recorded stays readable.</summary>
    public void Dispose() => _listener.Dispose();

    private void Add(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        Dictionary<string, object?> copy = new(tags.Length, StringComparer.Ordinal);
        foreach (var (name, tag) in tags)
        {
            copy[name] = tag;
        }

        _buffer.Add(new RecordedMeasurement(instrument.Name, instrument.Unit, instrument.IsObservable, value, copy));
    }
}
