using ResilientHost.Tests.Conventions;
using YamlDotNet.RepresentationModel;

namespace ResilientHost.Tests.Docker;

/// <summary>A YAML file of the repository, read with merges and anchors resolved.</summary>
internal static class YamlFile
{
    public static YamlMappingNode Read(string path) => Documents(path).ShouldHaveSingleItem();

    public static IReadOnlyList<YamlMappingNode> Documents(string path)
    {
        var stream = new YamlStream();
        using var text = new StringReader(Repository.Read(path));
        stream.Load(text);
        return [.. stream.Documents.Select(document => (YamlMappingNode)document.RootNode)];
    }

    /// <summary>The value at a path of keys; <see langword="null"/> when one is missing. A key of a merged mapping counts unless it is overridden.</summary>
    public static YamlNode? At(this YamlNode? node, params string[] keys)
    {
        foreach (var key in keys)
        {
            node = (node as YamlMappingNode)?.Entry(key);
        }

        return node;
    }

    public static string? Text(this YamlNode? node) => (node as YamlScalarNode)?.Value;

    public static IEnumerable<YamlNode> Items(this YamlNode? node) => (node as YamlSequenceNode)?.Children ?? [];

    public static IEnumerable<KeyValuePair<string, YamlNode>> Entries(this YamlNode? node) =>
        (node as YamlMappingNode)?.Children.Select(entry => KeyValuePair.Create(entry.Key.Text()!, entry.Value)) ?? [];

    private static YamlNode? Entry(this YamlMappingNode mapping, string key) =>
        mapping.Children.TryGetValue(new YamlScalarNode(key), out var value) ? value
        : mapping.Children.TryGetValue(new YamlScalarNode("<<"), out var merged) ? merged.At(key)
        : null;
}
