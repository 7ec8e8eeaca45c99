using System.Reflection;
using System.Text.RegularExpressions;
using ResilientHost.Tests.Conventions;

namespace ResilientHost.Tests.Testing;

/// <summary>The README of ResilientHost.Testing shows code that compiles and runs, and names what the package has.</summary>
public sealed partial class TestingReadmeTests
{
    private static readonly string Readme = Repository.Read("src/ResilientHost.Testing/README.md");

    [Fact]
    public void Code_InReadme_EqualsCompiledSource()
    {
        var blocks = Block().Matches(Readme.ReplaceLineEndings("\n"));

        blocks.Count.ShouldBe(4);
        foreach (Match block in blocks)
        {
            var source = Lines(Repository.Read(block.Groups["path"].Value));
            source.ShouldContain($"// readme: {block.Groups["region"].Value}\n{Lines(block.Groups["code"].Value)}// readme: end", Case.Sensitive);
        }
    }

    [Fact]
    public void Types_OfPackage_AreAllInReadme() =>
        typeof(ScriptedServer).Assembly.GetExportedTypes()
            .Where(type => type is { IsEnum: false } && !type.Name.StartsWith("Recorded", StringComparison.Ordinal))
            .Select(type => type.Name)
            .Where(name => name != nameof(ScriptedRequest) && name != nameof(ScriptedRoute) && !Readme.Contains(name, StringComparison.Ordinal))
            .ShouldBeEmpty();

    [Fact]
    public void Replies_OfScripts_AreAllInReadme() =>
        typeof(ScriptedReply).GetMethods(BindingFlags.Public | BindingFlags.Static | BindingFlags.Instance | BindingFlags.DeclaredOnly)
            .Concat(typeof(ScriptedRoute).GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly).Where(method => method.ReturnType == typeof(ScriptedRoute)))
            .Select(method => method.Name)
            .Distinct()
            .Where(name => !Readme.Contains(name, StringComparison.Ordinal))
            .ShouldBeEmpty();

    private static string Lines(string text) => string.Concat(text.ReplaceLineEndings("\n").TrimEnd().Split('\n').Select(line => line.Trim() + "\n"));

    [GeneratedRegex(@"^<!-- code: (?<path>[^# ]+)#(?<region>[\w-]+) -->\n```csharp\n(?<code>.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Block();
}
