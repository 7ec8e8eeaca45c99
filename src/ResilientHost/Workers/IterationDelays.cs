using System.Runtime.InteropServices;
using ResilientHost.Hosting;

namespace ResilientHost.Workers;

/// <summary>Keeps a loop whose iterations fail from spinning: each failure in a row delays the next iteration of that name, as a restart would be delayed.</summary>
/// <remarks>Thread-safe; one per run, so a restart begins anew. Costs a memory read while nothing fails. The names are bounded: those beyond share one row of failures.</remarks>
internal sealed class IterationDelays(MonotonicClock clock, Random random)
{
    public const int MaxNames = 64;
    private const string Others = "";

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Row> _rows = new(StringComparer.Ordinal);
    private int _failing;

    /// <summary>How long the next iteration of that name has to wait.</summary>
    public TimeSpan Remaining(string name)
    {
        if (Volatile.Read(ref _failing) == 0)
        {
            return TimeSpan.Zero;
        }

        lock (_gate)
        {
            return _rows.TryGetValue(KeyOf(name), out var row) ? clock.Elapsed(clock.Timestamp(), row.Due) : TimeSpan.Zero;
        }
    }

    public void Failed(string name, WorkerPolicy policy)
    {
        lock (_gate)
        {
            var key = KeyOf(name);
            var failures = _rows.GetValueOrDefault(key).Failures + 1;
            _rows[key] = new Row(failures, clock.Timestamp() + clock.ToTimestampTicks(RestartBackoff.Delay(policy, failures, random)));
            Volatile.Write(ref _failing, _rows.Count);
        }
    }

    public void Succeeded(string name)
    {
        if (Volatile.Read(ref _failing) == 0)
        {
            return;
        }

        lock (_gate)
        {
            _rows.Remove(KeyOf(name));
            Volatile.Write(ref _failing, _rows.Count);
        }
    }

    private string KeyOf(string name) => _rows.Count < MaxNames || _rows.ContainsKey(name) ? name : Others;

    [StructLayout(LayoutKind.Auto)]
    private readonly record struct Row(int Failures, long Due);
}
