using FailureDrill.Processes;

namespace FailureDrill.Shops;

/// <summary>The shop's configuration in a directory of its own, so that a drill can spoil it.</summary>
internal sealed class ContentRoot : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("failure-drill-");

    public ContentRoot()
    {
        Original = File.ReadAllText(Path.Combine(Path.GetDirectoryName(ShopAssembly.Path)!, "appsettings.json"));
        WriteSettings(Original);
    }

    public string FullPath => _directory.FullName;

    /// <summary>The settings that the shop started with.</summary>
    public string Original { get; }

    /// <summary>Replaces the settings in one step, so that the shop never reads half of them.</summary>
    public void WriteSettings(string json)
    {
        var target = Path.Combine(_directory.FullName, "appsettings.json");
        var draft = target + ".new";
        File.WriteAllText(draft, json);
        File.Move(draft, target, overwrite: true);
    }

    /// <summary>The original settings with another limit of checkout's bulkhead.</summary>
    public string WithCheckoutLimit(string limit)
    {
        const string Setting = "\"MaxConcurrency\": 16";
        return Original.Contains(Setting, StringComparison.Ordinal)
            ? Original.Replace(Setting, $"\"MaxConcurrency\": {limit}", StringComparison.Ordinal)
            : throw new ServiceException($"Storefront's appsettings.json has no {Setting} any more; this drill changes it.");
    }

    public void Dispose() => _directory.Delete(recursive: true);
}
