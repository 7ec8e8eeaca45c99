using System.Reflection;
using System.Text.RegularExpressions;

namespace ResilientHost.Tests.Conventions;

/// <summary>The README and the pages show code that compiles; the README names every option and instrument there is.</summary>
public sealed partial class ReadmeTests
{
    private static readonly string Readme = Repository.Read("README.md").ReplaceLineEndings("\n");

    public static TheoryData<string> WithCode { get; } = [.. Pages.All.Concat(Pages.OfPackages).Prepend("README.md")];

    [Theory]
    [MemberData(nameof(WithCode))]
    public void Code_OnPage_EqualsCompiledSource(string page)
    {
        var text = Pages.Read(page);
        var blocks = Block().Matches(text);

        blocks.Count.ShouldBe(Regex.Count(text, "^```csharp", RegexOptions.Multiline), "every C# block names the source that it is taken from");
        foreach (Match block in blocks)
        {
            var source = Repository.Read(block.Groups["path"].Value).ReplaceLineEndings("\n");
            var expected = block.Groups["region"] is { Success: true } region ? Region(source, region.Value) : source;
            block.Groups["code"].Value.Trim().ShouldBe(expected.Trim(), block.Groups["path"].Value);
        }
    }

    [Fact]
    public void Options_OfLibrary_AreAllInReadme() =>
        typeof(CircuitBreaker).Assembly.GetExportedTypes()
            .Where(type => type.Name.EndsWith("Options", StringComparison.Ordinal))
            .SelectMany(type => type.GetProperties(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly))
            .Select(property => $"`{property.Name}`")
            .Where(name => !Readme.Contains(name, StringComparison.Ordinal))
            .ShouldBeEmpty();

    [Fact]
    public void Options_OfTelemetry_AreAllInItsReadme()
    {
        var page = Pages.Read("src/ResilientHost.Telemetry/README.md");
        typeof(ResilienceTelemetryOptions).GetProperties()
            .Select(property => $"`{property.Name}`")
            .Where(name => !Regex.IsMatch(page, $@"^\|[^|]*{name}[^|]*\|", RegexOptions.Multiline))
            .ShouldBeEmpty();
    }

    [Fact]
    public void Instruments_OfLibrary_AreAllInReadme() =>
        typeof(ResilienceDiagnostics.Instruments).GetFields()
            .Select(field => (string)field.GetRawConstantValue()!)
            .Where(name => !Readme.Contains(name, StringComparison.Ordinal))
            .ShouldBeEmpty();

    private static string Region(string source, string name)
    {
        var region = Regex.Match(source, $@"^(?<indent> *)// readme: {Regex.Escape(name)}\n(?<code>.*?)^ *// readme: end", RegexOptions.Multiline | RegexOptions.Singleline);
        region.Success.ShouldBeTrue($"a region '// readme: {name}' … '// readme: end'");
        return Regex.Replace(region.Groups["code"].Value, $"^{region.Groups["indent"].Value}", "", RegexOptions.Multiline);
    }

    [GeneratedRegex(@"^<!-- code: (?<path>[^# ]+)(#(?<region>[\w-]+))? -->\n```csharp\n(?<code>.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Block();
}
