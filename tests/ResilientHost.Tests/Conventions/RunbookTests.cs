using System.Reflection;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging;

namespace ResilientHost.Tests.Conventions;

/// <summary>Whoever is on call finds every log event, every problem code and every alert in the runbook, and nothing that there is not.</summary>
public sealed partial class RunbookTests
{
    private static readonly string Runbook = Pages.Read(Pages.Runbook);

    private static readonly string[] Alerts =
    [
        "availability-burn", "circuit-open", "worker-failed", "worker-stuck", "level-raised", "shedding", "certificate-expiring", "telemetry-dropping", "instance-down", "dead-letters",
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
    public void Runbook_OfAlerts_HasEachOnce() =>
        Regex.Matches(Runbook, @"<a id=""alert-(?<name>[a-z-]+)""></a>").Select(match => match.Groups["name"].Value).Order(StringComparer.Ordinal)
            .ShouldBe(Alerts.Order(StringComparer.Ordinal));

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

    [GeneratedRegex(@"^\| <a id=""event-(?<id>\d+)""></a>\k<id> \| (?<level>\w+) \|", RegexOptions.Multiline)]
    private static partial Regex EventRow();
}
