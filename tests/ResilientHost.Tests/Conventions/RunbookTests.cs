using System.Reflection;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging;
using ResilientHost.Tests.Docker;

namespace ResilientHost.Tests.Conventions;

/// <summary>Whoever is on call finds every log event, every problem code and every alert in the runbook, and nothing that there is not.</summary>
public sealed partial class RunbookTests
{
    private static readonly string Runbook = Pages.Read(Pages.Runbook);

    // Where each leads, what it is called and how urgent it is, as the rules have it.
    private static readonly (string Place, string Name, string Severity)[] Alerts =
    [
        .. YamlFile.Read("docker/prometheus/rules/resilient-host.rules.yml").At("groups").Items()
            .SelectMany(group => group.At("rules").Items())
            .Where(rule => rule.At("alert") is not null)
            .Select(rule => (rule.At("annotations", "runbook_url").Text()!.Split("#alert-")[1], rule.At("alert").Text()!, rule.At("labels", "severity").Text()!)),
    ];

    [Fact]
    public void Runbook_OfEventsLoggedByPackages_HasEachOnce() =>
        Event().Matches(Runbook).Select(match => match.Groups["id"].Value).Order(StringComparer.Ordinal)
            .ShouldBe(Messages().Select(message => $"{message.EventId}").Order(StringComparer.Ordinal));

    [Fact]
    public void Runbook_OfEvents_TellsTheirLevels()
    {
        var levels = Messages().ToDictionary(message => $"{message.EventId}", message => message.Level == LogLevel.None ? "varies" : $"{message.Level}");

        EventRow().Matches(Runbook).Select(match => match.Groups["id"].Value).Order(StringComparer.Ordinal)
            .ShouldBe(levels.Keys.Order(StringComparer.Ordinal), "each event is a row: anchor and id, level");
        EventRow().Matches(Runbook)
            .Where(match => match.Groups["level"].Value != levels[match.Groups["id"].Value])
            .Select(match => $"{match.Groups["id"].Value} is {levels[match.Groups["id"].Value]}")
            .ShouldBeEmpty();
    }

    [Fact]
    public void Runbook_OfProblemCodes_HasEachOnce() =>
        Regex.Matches(Runbook, @"<a id=""problem-(?<code>[a-z_]+)""></a>`(?<shown>[a-z_]+)`").Select(match => (match.Groups["code"].Value, match.Groups["shown"].Value)).Order()
            .ShouldBe(typeof(ProblemCodes).GetFields()
                .Where(field => field.Name != nameof(ProblemCodes.TypePrefix))
                .Select(field => (string)field.GetRawConstantValue()!)
                .Select(code => (code, code))
                .Order());

    [Fact]
    public void Runbook_OfAlerts_HasEachPlaceOnce() =>
        Regex.Matches(Runbook, @"<a id=""alert-(?<name>[a-z-]+)""></a>").Select(match => match.Groups["name"].Value).Order(StringComparer.Ordinal)
            .ShouldBe(Alerts.Select(alert => alert.Place).Distinct().Order(StringComparer.Ordinal));

    [Fact]
    public void Runbook_OfAlerts_TellsTheirNamesAndSeverities_WhereTheyLead() =>
        AlertPlace().Matches(Runbook)
            .SelectMany(place => Regex.Matches(place.Groups["line"].Value, @"`(?<name>ResilientHost\w+)` \((?<severity>\w+)\)")
                .Select(match => (place.Groups["name"].Value, match.Groups["name"].Value, match.Groups["severity"].Value)))
            .Order()
            .ShouldBe(Alerts.Order());

    [Fact]
    public void Runbook_OfUrlsInAlertRules_HasTheirAnchors() =>
        Directory.EnumerateFiles(Path.Combine(Repository.Root, "docker"), "*.yml", SearchOption.AllDirectories)
            .SelectMany(file => Regex.Matches(File.ReadAllText(file), @"RUNBOOK\.md#(?<anchor>[\w-]+)"))
            .Select(match => match.Groups["anchor"].Value)
            .Where(anchor => !Runbook.Contains($"<a id=\"{anchor}\"></a>", StringComparison.Ordinal))
            .ShouldBeEmpty();

    private static IEnumerable<LoggerMessageAttribute> Messages() =>
        Directory.EnumerateFiles(AppContext.BaseDirectory, "ResilientHost*.dll")
            .Where(file => !Path.GetFileName(file).Contains("Tests", StringComparison.Ordinal))
            .SelectMany(file => Assembly.Load(Path.GetFileNameWithoutExtension(file)).GetTypes())
            .SelectMany(type => type.GetMethods(BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly))
            .Select(method => method.GetCustomAttribute<LoggerMessageAttribute>())
            .OfType<LoggerMessageAttribute>();

    [GeneratedRegex(@"<a id=""event-(?<id>\d+)""></a>")]
    private static partial Regex Event();

    [GeneratedRegex(@"^<a id=""alert-(?<name>[a-z-]+)""></a>\n### [^\n]+\n\n(?<line>[^\n]+)\n", RegexOptions.Multiline)]
    private static partial Regex AlertPlace();

    [GeneratedRegex(@"^\| <a id=""event-(?<id>\d+)""></a>\k<id> \| (?<level>\w+) \|", RegexOptions.Multiline)]
    private static partial Regex EventRow();
}
