using System.Runtime.InteropServices;

namespace ResilientHost.History;

/// <summary>The golden signals of the service: by second for the live page, by five seconds for the last hour. Not thread-safe.</summary>
internal sealed class ServiceTrack
{
    /// <summary>Width of a value, in seconds.</summary>
    public const int IntervalSeconds = 5;

    /// <summary>Values of the last hour.</summary>
    public const int Length = 3600 / IntervalSeconds;

    private readonly Point[] _points = new Point[Length];
    private readonly double[] _second = new double[LatencyBuckets.Count];
    private readonly double[] _interval = new double[LatencyBuckets.Count];
    private CallTotals _calls;
    private CallTotals _sum;
    private double _inFlight;
    private double _saturation;
    private int _seconds;
    private int _next;
    private int _count;

    /// <summary>Adds what a circuit had in the second that is about to end.</summary>
    /// <param name="calls">Its calls.</param>
    /// <param name="durations">Those that were measured, by bucket.</param>
    /// <param name="samples">How many those are: each stands for its share of all.</param>
    public void Add(in CallTotals calls, ReadOnlySpan<int> durations, int samples)
    {
        _calls += calls;
        if (samples == 0)
        {
            return;
        }

        var weight = Math.Max(1, (calls.Succeeded + calls.Failed) / (double)samples);
        for (var bucket = 0; bucket < durations.Length; bucket++)
        {
            if (durations[bucket] != 0)
            {
                _second[bucket] += durations[bucket] * weight;
            }
        }
    }

    /// <summary>Ends a second.</summary>
    /// <param name="seconds">How many have passed since the last; the calls are spread over them.</param>
    /// <param name="inFlight">Requests inside.</param>
    /// <param name="saturation">The worst signal's share of its threshold.</param>
    /// <param name="level">The service level.</param>
    public ServiceSample EndSecond(int seconds, double inFlight, double saturation, ServiceLevel level)
    {
        var calls = _calls;
        var (p50, p90, p99) = LatencyBuckets.Percentiles<double>(_second);
        for (var bucket = 0; bucket < _second.Length; bucket++)
        {
            _interval[bucket] += _second[bucket];
        }

        Array.Clear(_second);
        _calls = default;
        for (var second = Math.Max(0, seconds - (Length * IntervalSeconds)); second < seconds; second++)
        {
            _sum += Share(calls, second, seconds);
            _inFlight += inFlight;
            _saturation += saturation;
            if (++_seconds == IntervalSeconds)
            {
                EndInterval();
            }
        }

        return new(
            Rate(calls.Calls, seconds),
            Rate(calls.Failed, seconds),
            Rate(calls.RefusedByCircuit + calls.Refused, seconds),
            p50,
            p90,
            p99,
            inFlight,
            Math.Round(saturation, 4),
            level);
    }

    /// <summary>A copy, oldest first.</summary>
    /// <param name="to">The end of a second, the newest.</param>
    public ServiceHistory Read(DateTimeOffset to)
    {
        var points = new Point[_count];
        for (var i = 0; i < _count; i++)
        {
            points[i] = _points[(_next - _count + i + Length) % Length];
        }

        return new(
            IntervalSeconds,
            to - TimeSpan.FromSeconds(_seconds),
            Array.ConvertAll(points, static point => point.Rate),
            Array.ConvertAll(points, static point => point.Errors),
            Array.ConvertAll(points, static point => point.Refused),
            Array.ConvertAll(points, static point => point.P50),
            Array.ConvertAll(points, static point => point.P90),
            Array.ConvertAll(points, static point => point.P99),
            Array.ConvertAll(points, static point => point.InFlight),
            Array.ConvertAll(points, static point => point.Saturation));
    }

    private static double Rate(long calls, int seconds) => Math.Round(calls / (double)seconds, 2);

    private static CallTotals Share(in CallTotals calls, int second, int seconds) => seconds == 1 ? calls : new(
        Share(calls.Succeeded, second, seconds),
        Share(calls.Failed, second, seconds),
        Share(calls.Ignored, second, seconds),
        Share(calls.RefusedByCircuit, second, seconds),
        Share(calls.Refused, second, seconds));

    private static long Share(long total, int second, int seconds) => (long)((Int128)total * (second + 1) / seconds) - (long)((Int128)total * second / seconds);

    private void EndInterval()
    {
        var (p50, p90, p99) = LatencyBuckets.Percentiles<double>(_interval);
        _points[_next] = new(
            Rate(_sum.Calls, IntervalSeconds),
            Rate(_sum.Failed, IntervalSeconds),
            Rate(_sum.RefusedByCircuit + _sum.Refused, IntervalSeconds),
            p50,
            p90,
            p99,
            Math.Round(_inFlight / IntervalSeconds, 1),
            Math.Round(_saturation / IntervalSeconds, 4));
        _next = (_next + 1) % Length;
        _count = Math.Min(_count + 1, Length);
        Array.Clear(_interval);
        (_sum, _inFlight, _saturation, _seconds) = (default, 0, 0, 0);
    }

    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Point(double Rate, double Errors, double Refused, double? P50, double? P90, double? P99, double InFlight, double Saturation);
}
