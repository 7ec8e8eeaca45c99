namespace ResilientHost.Hosting;

/// <summary>What is wrong with a configuration, in the order in which it was found.</summary>
internal sealed class ConfigurationProblems
{
    private readonly List<(string Path, string Message, bool IsUnknownKey)> _found = [];

    public IEnumerable<(string Path, string Message)> UnknownKeys =>
        _found.Where(p => p.IsUnknownKey).Select(p => (p.Path, p.Message));

    public void Add(string path, string message) => _found.Add((path, ConfigurationText.OneLine(message), IsUnknownKey: false));

    public void AddUnknownKey(string path, string message) => _found.Add((path, ConfigurationText.OneLine(message), IsUnknownKey: true));

    /// <summary>The messages that refuse the configuration.</summary>
    public IEnumerable<string> Errors(UnknownKeyHandling unknownKeys) =>
        _found.Where(p => !p.IsUnknownKey || unknownKeys != UnknownKeyHandling.Warn).Select(p => p.Message);
}
