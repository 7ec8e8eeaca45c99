namespace ResilientHost.Hosting;

/// <summary>When the configuration was applied, refused, and changed. Thread-safe.</summary>
internal sealed class ConfigurationJournal(TimeProvider? timeProvider)
{
    private readonly Lock _gate = new();
    private readonly MonotonicClock _clock = new(timeProvider);
    private readonly Dictionary<string, DateTimeOffset> _changed = new(StringComparer.OrdinalIgnoreCase);
    private ResilienceOptions? _options;
    private IReadOnlyList<OptionEntry>? _entries;
    private DateTimeOffset? _appliedAt;
    private DateTimeOffset? _refusedAt;
    private IReadOnlyList<string>? _refusal;

    /// <summary>Notes what is in force from now on.</summary>
    /// <param name="options">Validated options, which nobody changes any more.</param>
    public void Applied(ResilienceOptions options)
    {
        lock (_gate)
        {
            var now = _clock.UtcNow;
            if (_appliedAt is not null)
            {
                var before = Entries().ToDictionary(static entry => entry.Key, static entry => entry.Value, StringComparer.OrdinalIgnoreCase);
                _entries = OptionEntries.Of(options);
                foreach (var entry in _entries)
                {
                    if (!before.TryGetValue(entry.Key, out var was) || was != entry.Value)
                    {
                        _changed[entry.Key] = now;
                    }
                }
            }

            (_options, _appliedAt) = (options, now);
        }
    }

    /// <summary>Notes that what the configuration says now is not in force, and why.</summary>
    public void Refused(IReadOnlyList<string> why)
    {
        lock (_gate)
        {
            (_refusal, _refusedAt) = (why, _clock.UtcNow);
        }
    }

    /// <summary>Notes that what the configuration says now is in force.</summary>
    public void Mended()
    {
        lock (_gate)
        {
            _refusal = null;
        }
    }

    public ConfigurationRecord Read()
    {
        lock (_gate)
        {
            return new(_appliedAt, _refusedAt, _refusal, [.. Entries().Select(entry => (entry, _changed.TryGetValue(entry.Key, out var at) ? at : (DateTimeOffset?)null))]);
        }
    }

    // Hundreds of properties by reflection: not at the start, but when somebody looks or the configuration changes.
    private IReadOnlyList<OptionEntry> Entries() => _entries ??= _options is null ? [] : OptionEntries.Of(_options);
}

/// <summary>The configuration in force.</summary>
/// <param name="AppliedAt">When a configuration was put in force last.</param>
/// <param name="RefusedAt">When one was refused last.</param>
/// <param name="Refusal">Why; <see langword="null"/> once the configuration is valid again.</param>
/// <param name="Entries">Each option, with when it was changed since the start.</param>
internal sealed record ConfigurationRecord(
    DateTimeOffset? AppliedAt,
    DateTimeOffset? RefusedAt,
    IReadOnlyList<string>? Refusal,
    IReadOnlyList<(OptionEntry Entry, DateTimeOffset? ChangedAt)> Entries);
