namespace ResilientHost.Hosting;

/// <summary>What a reload changed, for the log.</summary>
internal sealed class SettingsChanges
{
    private readonly List<string> _changed = [];

    /// <summary>Keys of names that configuration no longer has.</summary>
    public List<string> Vanished { get; } = [];

    public bool Any => _changed.Count > 0;

    public void Add(string path, IReadOnlyList<string> differences)
    {
        if (differences.Count > 0)
        {
            _changed.Add(ConfigurationText.OneLine($"{path}: {string.Join(", ", differences)}"));
        }
    }

    public override string ToString() => string.Join("; ", _changed);
}
