using System.Diagnostics.CodeAnalysis;

namespace ResilientHost.Hosting;

/// <summary>The options of one layer as last applied: what was asked for, and what is in force under the kill switches.</summary>
/// <param name="Enabled">The layer's own kill switch.</param>
/// <param name="Asked">Options by name, as if no kill switch were set; with names that configuration has dropped.</param>
/// <param name="AskedForEndpoints">Options of the automatic instances, likewise.</param>
/// <param name="Named">Options in force by name. Instances of names that did not change are those of the state before.</param>
/// <param name="ForEndpoints">Options in force of the automatic instances.</param>
internal sealed record LayerState<TOptions>(
    bool Enabled,
    IReadOnlyDictionary<string, TOptions> Asked,
    TOptions AskedForEndpoints,
    IReadOnlyDictionary<string, TOptions> Named,
    TOptions ForEndpoints);

/// <summary>Builds the state of a named layer from new options and the state before.</summary>
/// <param name="section">The layer with its property list.</param>
/// <param name="disable">Sets the mode that turns an instance off; <see langword="null"/> where the layer itself heeds its kill switch.</param>
internal sealed class LayerStateBuilder<[DynamicallyAccessedMembers(
    DynamicallyAccessedMemberTypes.PublicProperties | DynamicallyAccessedMemberTypes.PublicParameterlessConstructor)] TOptions>(
    NamedLayer<TOptions> section,
    Action<TOptions>? disable)
    where TOptions : class, new()
{
    public LayerState<TOptions> Build(
        NamedOptions<TOptions> options, TOptions forEndpoints, bool suiteEnabled, LayerState<TOptions>? before, SettingsChanges changes)
    {
        // A name that is spelled in another case later is still the same instance.
        var asked = options.Resolved.ToDictionary(
            pair => before?.Asked.Keys.FirstOrDefault(name => string.Equals(name, pair.Key, StringComparison.OrdinalIgnoreCase)) ?? pair.Key,
            pair => pair.Value,
            StringComparer.OrdinalIgnoreCase);
        if (before is not null)
        {
            KeepVanished(options.Path, asked, before, changes);
            Compare(options, asked, forEndpoints, before, changes);
        }

        var isOn = suiteEnabled && options.Enabled;
        var named = asked.ToDictionary(
            pair => pair.Key, pair => InForce(pair.Value, isOn, before?.Named.GetValueOrDefault(pair.Key)), StringComparer.OrdinalIgnoreCase);
        return new(options.Enabled, asked, forEndpoints, named, InForce(forEndpoints, isOn, before?.ForEndpoints));
    }

    /// <summary>Whether a layer has nothing to apply: the same instances all over.</summary>
    public static bool IsSame(LayerState<TOptions> before, LayerState<TOptions> after) =>
        ReferenceEquals(before.ForEndpoints, after.ForEndpoints)
        && before.Named.Count == after.Named.Count
        && after.Named.All(pair => before.Named.TryGetValue(pair.Key, out var was) && ReferenceEquals(was, pair.Value));

    private static void KeepVanished(
        string path, Dictionary<string, TOptions> asked, LayerState<TOptions> before, SettingsChanges changes)
    {
        foreach (var (name, options) in before.Asked)
        {
            if (asked.TryAdd(name, options))
            {
                changes.Vanished.Add(ConfigurationText.OneLine($"{path}:{name}"));
            }
        }
    }

    private void Compare(
        NamedOptions<TOptions> options,
        Dictionary<string, TOptions> asked,
        TOptions forEndpoints,
        LayerState<TOptions> before,
        SettingsChanges changes)
    {
        if (options.Enabled != before.Enabled)
        {
            changes.Add($"{options.Path}:Enabled", [$"{before.Enabled} → {options.Enabled}"]);
        }

        var defaults = disable is null ? NamedOptions<TOptions>.DefaultName : $"{NamedOptions<TOptions>.DefaultName} (endpoints)";
        changes.Add($"{options.Path}:{defaults}", section.Shape.Differences(before.AskedForEndpoints, forEndpoints));
        foreach (var (name, now) in asked.OrderBy(pair => pair.Key, StringComparer.OrdinalIgnoreCase))
        {
            changes.Add($"{options.Path}:{name}", before.Asked.TryGetValue(name, out var was) ? section.Shape.Differences(was, now) : ["added"]);
        }
    }

    private TOptions InForce(TOptions asked, bool isOn, TOptions? before)
    {
        var now = NamedOptions<TOptions>.Copy(asked);
        if (!isOn)
        {
            disable?.Invoke(now);
        }

        return before is not null && section.Shape.Differences(before, now).Count == 0 ? before : now;
    }
}
