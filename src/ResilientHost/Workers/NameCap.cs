using System.Collections.Concurrent;

namespace ResilientHost.Workers;

/// <summary>Keeps a tag's values a closed set, whatever names code makes up: those beyond the first <see cref="Most"/> are <see cref="Other"/>. Thread-safe.</summary>
internal sealed class NameCap
{
    public const int Most = 200;
    public const string Other = "other";

    private readonly ConcurrentDictionary<string, string> _names = new(StringComparer.Ordinal);
    private int _count;

    public string Of(string name)
    {
        if (_names.TryGetValue(name, out var known))
        {
            return known;
        }

        // Two threads may overshoot the cap by one each; it bounds cardinality, it does not count it. Count of the dictionary would take all its locks.
        if (Volatile.Read(ref _count) >= Most)
        {
            return Other;
        }

        if (_names.TryAdd(name, name))
        {
            Interlocked.Increment(ref _count);
        }

        return name;
    }
}
