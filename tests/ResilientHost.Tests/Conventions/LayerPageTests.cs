using System.Reflection;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Options;

namespace ResilientHost.Tests.Conventions;

/// <summary>The pages of the layers say what the code does: options with their defaults and bounds, instruments, links, configuration.</summary>
public sealed partial class LayerPageTests
{
    [Fact]
    public void Options_OfLibrary_AreEachInOneTable()
    {
        var rows = Pages.OptionRows().ToList();
        var expected = PageOptions.Types.SelectMany(type => PageOptions.PropertiesOf(type).Select(property => $"{type.Name.Split('`')[0]}.{property.Name}"));

        rows.Select(row => $"{row.Type}.{row.Name}").Order(StringComparer.Ordinal).ShouldBe(expected.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Defaults_InTables_AreThoseOfCode() =>
        (from row in Pages.OptionRows()
         let type = PageOptions.TypeOf(row.Type)
         let options = PageOptions.Fresh(type)
         let value = options.GetType().GetProperty(row.Name)!.GetValue(options)
         where !PageOptions.Tells(row.Default, value)
         select $"{row} says '{row.Default}', is '{value ?? "null"}'").ShouldBeEmpty();

    [Fact]
    public void Bounds_InTables_AreThoseOfValidators()
    {
        var wrong = new List<string>();
        var checkedBounds = 0;
        foreach (var row in Pages.OptionRows())
        {
            var property = PageOptions.Make(PageOptions.TypeOf(row.Type)).Target.GetType().GetProperty(row.Name)!;
            var (low, high) = PageOptions.BoundsOf(row.Bounds, Nullable.GetUnderlyingType(property.PropertyType) ?? property.PropertyType);
            Check(row, property, low, -1);
            Check(row, property, high, +1);
        }

        wrong.ShouldBeEmpty();
        checkedBounds.ShouldBeGreaterThan(100);

        void Check(OptionRow row, PropertyInfo property, Bound? bound, int outwards)
        {
            if (bound is null)
            {
                return;
            }

            checkedBounds++;
            var (allowed, refused) = bound.IsOpen ? (PageOptions.Step(bound.Value, -outwards), bound.Value) : (bound.Value, PageOptions.Step(bound.Value, outwards));
            if (Error(row, property, allowed) is { } error)
            {
                wrong.Add($"{row} allows {allowed}, but: {error}");
            }

            if (!Equals(refused, int.MinValue) && Error(row, property, refused) is null)
            {
                wrong.Add($"{row} says that {refused} is refused, but it is not");
            }
        }
    }

    [Fact]
    public void Instruments_OfLibrary_AreOnPages() => Unnamed(typeof(ResilienceDiagnostics.Instruments)).ShouldBeEmpty();

    [Fact]
    public void SpansAndTheirEvents_OfLibrary_AreOnPages() =>
        Unnamed(typeof(ResilienceDiagnostics.Spans)).Concat(Unnamed(typeof(ResilienceDiagnostics.SpanEvents))).ShouldBeEmpty();

    [Fact]
    public void HealthChecks_OfSuite_AreOnTheirPage()
    {
        using var services = new ServiceCollection().AddResilienceLayers(new ConfigurationBuilder().Build()).BuildServiceProvider();
        var page = Pages.Read("src/ResilientHost/Health/README.md");

        services.GetRequiredService<IOptions<HealthCheckServiceOptions>>().Value.Registrations
            .Where(check => check.Tags.Contains("resilience") && !page.Contains($"`{check.Name}`", StringComparison.Ordinal))
            .Select(check => check.Name)
            .ShouldBeEmpty();
    }

    [Fact]
    public void Configuration_OnPages_IsValid()
    {
        var wrong = new List<string>();
        foreach (var page in Pages.All.Append("README.md"))
        {
            foreach (Match block in Json().Matches(Pages.Read(page)))
            {
                using var json = new MemoryStream(System.Text.Encoding.UTF8.GetBytes(block.Groups["json"].Value));
                var configuration = new ConfigurationBuilder().AddJsonStream(json).Build();
                using var services = new ServiceCollection().AddResilienceLayers(configuration).BuildServiceProvider();
                try
                {
                    _ = services.GetRequiredService<IOptions<ResilienceOptions>>().Value;
                }
                catch (OptionsValidationException exception)
                {
                    wrong.Add($"{page}: {exception.Message}");
                }
            }
        }

        wrong.ShouldBeEmpty();
    }

    [Fact]
    public void Links_OnPages_LeadSomewhere() =>
        (from page in Pages.Everywhere
         from Match link in Link().Matches(Fence().Replace(Pages.Read(page), ""))
         let target = link.Groups["path"].Value
         let file = target.Length == 0 ? page : Path.GetRelativePath(Repository.Root, Path.Combine(Repository.Root, Path.GetDirectoryName(page)!, target)).Replace('\\', '/')
         let anchor = link.Groups["anchor"].Value
         let exists = File.Exists(Path.Combine(Repository.Root, file)) || Directory.Exists(Path.Combine(Repository.Root, file))
         where !exists || (anchor.Length > 0 && !Anchors(file).Contains(anchor))
         select $"{page}: {link.Value}").ShouldBeEmpty();

    private static IEnumerable<string> Unnamed(Type names)
    {
        // Instruments of the telemetry package are named in the library, and told of on that package's page.
        const string Telemetry = "src/ResilientHost.Telemetry/README.md";
        var ours = Pages.All.Where(page => page.EndsWith("/README.md", StringComparison.Ordinal));
        var pages = string.Concat((File.Exists(Path.Combine(Repository.Root, Telemetry)) ? ours.Append(Telemetry) : ours).Select(Pages.Read));
        return names.GetFields().Select(field => (string)field.GetRawConstantValue()!).Where(name => !pages.Contains($"`{name}`", StringComparison.Ordinal));
    }

    private static string? Error(OptionRow row, PropertyInfo property, object value)
    {
        var (target, errors) = PageOptions.Make(PageOptions.TypeOf(row.Type));
        property.SetValue(target, value);
        return errors().FirstOrDefault(error => Regex.IsMatch(error, $@"\b{row.Name}( of a journaled channel)? must\b"));
    }

    private static HashSet<string> Anchors(string file)
    {
        var text = Fence().Replace(Pages.Read(file), "");
        var headings = Heading().Matches(text).Select(heading => Punctuation().Replace(heading.Groups["text"].Value.ToLowerInvariant(), "").Replace(' ', '-'));
        return [.. headings, .. Anchor().Matches(text).Select(anchor => anchor.Groups["id"].Value)];
    }

    [GeneratedRegex(@"^```json\n(?<json>\{.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Json();

    [GeneratedRegex(@"^```.*?^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Fence();

    [GeneratedRegex(@"\]\((?!https?:)(?<path>[^)#\s]*)(#(?<anchor>[^)\s]+))?\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"^#+ (?<text>.+)$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex(@"<a id=""(?<id>[^""]+)""></a>")]
    private static partial Regex Anchor();

    [GeneratedRegex(@"[^\w\- ]")]
    private static partial Regex Punctuation();
}
