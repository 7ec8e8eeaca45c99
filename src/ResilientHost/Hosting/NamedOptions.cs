using System.Diagnostics.CodeAnalysis;
using ResilientHost.Hosting;

namespace ResilientHost;

/// <summary>Options by name, where every name starts from <see cref="Default"/> or from another name.</summary>
/// <typeparam name="TOptions">The options of one name.</typeparam>
/// <remarks>
/// <para>
/// A name's options are what it inherits, then its own section in configuration, then what code says, in order. Inheritance is
/// resolved when all configuring is done, so a change of <see cref="Default"/> reaches every name that does not say otherwise,
/// whichever came first.
/// </para>
/// <para>Names are compared without regard to case, as keys of configuration are. Not thread-safe.</para>
/// </remarks>
public class NamedOptions<[DynamicallyAccessedMembers(
    DynamicallyAccessedMemberTypes.PublicProperties | DynamicallyAccessedMemberTypes.PublicParameterlessConstructor)] TOptions>
    where TOptions : class, new()
{
    internal const string DefaultName = "Default";

    private readonly SortedDictionary<string, NamedEntry<TOptions>> _entries = new(StringComparer.OrdinalIgnoreCase);
    private TOptions _default = new();

    internal NamedOptions(string section) => Path = $"{ResilienceSection.Name}:{section}";

    /// <summary>The kill switch of the layer.</summary>
    /// <value>Default <see langword="true"/>. <see langword="false"/> disables every instance of the layer, named or not; reloads, both ways.</value>
    public bool Enabled { get; set; } = true;

    /// <summary>What every name starts from; change it in place or replace it.</summary>
    /// <value>The options' own defaults, then the section <c>Default</c>.</value>
    /// <exception cref="ArgumentNullException">The value is <see langword="null"/>.</exception>
    public TOptions Default
    {
        get => _default;
        set
        {
            ArgumentNullException.ThrowIfNull(value);
            _default = value;
        }
    }

    /// <summary>The names there are so far, without <c>Default</c>, in alphabetical order.</summary>
    public IReadOnlyCollection<string> Names => [.. _entries.Keys];

    /// <summary>Gets or sets the whole options of a name.</summary>
    /// <param name="name">The name; <c>Default</c> is <see cref="Default"/>.</param>
    /// <value>
    /// Set: complete options that inherit nothing. Get: the options as they are at this moment, to be changed in place; from then on they
    /// follow neither <see cref="Default"/> nor a parent. To change some options and inherit the rest, use <see cref="Configure(string, Action{TOptions})"/>.
    /// </value>
    /// <exception cref="ArgumentException">The name is empty.</exception>
    /// <exception cref="ArgumentNullException">The name or the value is <see langword="null"/>.</exception>
    /// <exception cref="KeyNotFoundException">Get: there is no such name.</exception>
    public TOptions this[string name]
    {
        get
        {
            ArgumentException.ThrowIfNullOrWhiteSpace(name);
            if (IsDefault(name))
            {
                return Default;
            }

            if (!_entries.TryGetValue(name, out var entry))
            {
                throw new KeyNotFoundException($"{Path} has no entry '{name}'. There are: {string.Join(", ", Names.DefaultIfEmpty("none"))}.");
            }

            var options = Resolve(entry, new ConfigurationProblems());
            entry.Replace(options);
            return options;
        }

        set
        {
            ArgumentException.ThrowIfNullOrWhiteSpace(name);
            ArgumentNullException.ThrowIfNull(value);
            if (IsDefault(name))
            {
                Default = value;
            }
            else
            {
                GetOrAdd(name).Replace(value);
            }
        }
    }

    /// <summary>Adds a name, or changes one, on top of what it inherits and what configuration says of it.</summary>
    /// <param name="name">The name; <c>Default</c> changes <see cref="Default"/>.</param>
    /// <param name="configure">Sets the options that differ. Must be repeatable: it may run more than once.</param>
    /// <exception cref="ArgumentException">The name is empty.</exception>
    /// <exception cref="ArgumentNullException">An argument is <see langword="null"/>.</exception>
    public void Configure(string name, Action<TOptions> configure)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        ArgumentNullException.ThrowIfNull(configure);
        if (IsDefault(name))
        {
            configure(Default);
        }
        else
        {
            GetOrAdd(name).Steps.Add(configure);
        }
    }

    /// <summary>Adds a name, or changes one, that starts from another name instead of <see cref="Default"/>.</summary>
    /// <param name="name">The name.</param>
    /// <param name="inherit">The name to start from; it may be added later. Replaces what configuration says in <c>Inherit</c>.</param>
    /// <param name="configure">Sets the options that differ. Must be repeatable: it may run more than once.</param>
    /// <exception cref="ArgumentException">A name is empty, or <paramref name="name"/> is <c>Default</c>, which inherits from nothing.</exception>
    /// <exception cref="ArgumentNullException">An argument is <see langword="null"/>.</exception>
    public void Configure(string name, string inherit, Action<TOptions> configure)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        ArgumentException.ThrowIfNullOrWhiteSpace(inherit);
        if (IsDefault(name))
        {
            throw new ArgumentException($"'{DefaultName}' inherits from nothing.", nameof(name));
        }

        Configure(name, configure);
        _entries[name].Inherit = inherit;
    }

    /// <summary>Key of the section these options come from, for messages.</summary>
    internal string Path { get; set; }

    /// <summary>Properties of <see cref="Default"/> that configuration tried to set and could not.</summary>
    internal IReadOnlySet<string> UnreadableDefaults { get; set; } = new HashSet<string>();

    /// <summary>Options of every name with all that they inherit; set by validation.</summary>
    internal IReadOnlyDictionary<string, TOptions> Resolved { get; set; } = new Dictionary<string, TOptions>(StringComparer.OrdinalIgnoreCase);

    internal IEnumerable<NamedEntry<TOptions>> Entries => _entries.Values;

    internal static bool IsDefault(string name) => string.Equals(name, DefaultName, StringComparison.OrdinalIgnoreCase);

    internal static TOptions Copy(TOptions options) => (TOptions)((ICopiedOptions)options).Copy();

    internal NamedEntry<TOptions> GetOrAdd(string name)
    {
        if (!_entries.TryGetValue(name, out var entry))
        {
            _entries.Add(name, entry = new(name));
        }

        return entry;
    }

    /// <summary>What the name starts from: a copy of its parent's options, or <see langword="null"/> when it inherits nothing.</summary>
    internal TOptions? ResolveParent(NamedEntry<TOptions> entry, ConfigurationProblems problems) =>
        entry.Whole is not null ? null : ResolveParent(entry, problems, [entry.Name]);

    /// <summary>The options of one name with all that it inherits. A wrong <c>Inherit</c> is reported and taken for <c>Default</c>.</summary>
    internal TOptions Resolve(NamedEntry<TOptions> entry, ConfigurationProblems problems) => Resolve(entry, problems, [entry.Name]);

    private TOptions Resolve(NamedEntry<TOptions> entry, ConfigurationProblems problems, List<string> trail)
    {
        var options = entry.Whole is { } whole ? Copy(whole) : ResolveParent(entry, problems, trail);
        foreach (var step in entry.Steps)
        {
            step(options);
        }

        return options;
    }

    private TOptions ResolveParent(NamedEntry<TOptions> entry, ConfigurationProblems problems, List<string> trail)
    {
        if (entry.Inherit is not { } parentName || IsDefault(parentName))
        {
            return Copy(Default);
        }

        var path = $"{Path}:{entry.Name}:Inherit";
        if (!_entries.TryGetValue(parentName, out var parent))
        {
            IReadOnlyList<string> there = [DefaultName, .. _entries.Keys.Where(n => n != entry.Name)];
            var hint = ConfigurationText.Closest(parentName, there) is { } meant ? $"; did you mean {meant}?" : ".";
            problems.Add(path, $"{path} must be one of {string.Join(", ", there)}, but is {ConfigurationText.Quote(parentName)}{hint}");
            return Copy(Default);
        }

        if (trail.Contains(parent.Name, StringComparer.OrdinalIgnoreCase))
        {
            // Every name on the circle, and every heir of one, comes by here; one of them speaks.
            if (parent.Name == trail[0] && parent.Name == trail.Min(StringComparer.OrdinalIgnoreCase))
            {
                problems.Add(path, $"{path} must lead to {DefaultName}, but makes a circle: {string.Join(" → ", trail.Append(parent.Name))}.");
            }

            return Copy(Default);
        }

        return Resolve(parent, problems, [.. trail, parent.Name]);
    }
}
