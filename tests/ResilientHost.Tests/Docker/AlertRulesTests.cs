using System.Text.RegularExpressions;
using ResilientHost.Tests.Conventions;
using YamlDotNet.RepresentationModel;

namespace ResilientHost.Tests.Docker;

/// <summary>What promtool cannot know of the rules: that their names are ours, and that whoever is woken finds a page.</summary>
public sealed partial class AlertRulesTests
{
    private const string Rules = "docker/prometheus/rules/resilient-host.rules.yml";
    private const string Runbook = "src/ResilientHost/RUNBOOK.md";

    private static List<YamlNode> Groups { get; } = [.. YamlFile.Read(Rules).At("groups").Items()];

    private static List<YamlNode> AllRules { get; } = [.. Groups.SelectMany(static group => group.At("rules").Items())];

    private static List<YamlNode> Alerts { get; } = [.. AllRules.Where(static rule => rule.At("alert") is not null)];

    [Fact]
    public void Rules_EveryMetric_IsOneThatIsMade()
    {
        var recorded = AllRules.Select(static rule => rule.At("record").Text()).OfType<string>();
        string[] known = [.. PrometheusNames.OfInstruments(), .. PrometheusNames.Foreign, .. recorded];

        AllRules.SelectMany(static rule => PrometheusNames.Metrics(rule.At("expr").Text()!)).Distinct().Except(known).ShouldBeEmpty();
    }

    [Fact]
    public void Rules_EveryLabel_IsATag()
    {
        var known = PrometheusNames.OfTags();

        AllRules.SelectMany(static rule => PrometheusNames.Labels(rule.At("expr").Text()!)).Distinct().Except(known).ShouldBeEmpty();
    }

    [Fact]
    public void Rules_EveryValueOfATag_IsOneThatItCanHave() =>
        AllRules.SelectMany(static rule => PrometheusNames.ImpossibleValues(rule.At("expr").Text()!)).Distinct().ShouldBeEmpty();

    [Theory]
    [InlineData("rate(x{resilient_host_disposition=~\"failed|lost\"}[5m])", "resilient_host_disposition=lost")]
    [InlineData("x{job=\"a\", resilient_host_circuit_breaker_state!=\"half-open\"}", "resilient_host_circuit_breaker_state=half-open")]
    [InlineData("x{resilient_host_worker_state=\"dead\"}", "resilient_host_worker_state=dead")]
    public void Rules_ValueThatATagNeverHas_IsFound(string query, string impossible) =>
        PrometheusNames.ImpossibleValues(query).ShouldBe([impossible]);

    /// <summary>Groups have no order among themselves: in another one, a rule would now and then read what was recorded an interval ago.</summary>
    [Fact]
    public void Rules_ReadWhatWasRecordedBeforeThemInTheirGroup()
    {
        var recordedAnywhere = AllRules.Select(static rule => rule.At("record").Text()).OfType<string>().ToHashSet(StringComparer.Ordinal);
        foreach (var group in Groups)
        {
            var recorded = new HashSet<string>(StringComparer.Ordinal);
            foreach (var rule in group.At("rules").Items())
            {
                var name = rule.At("alert").Text() ?? rule.At("record").Text();
                PrometheusNames.Metrics(rule.At("expr").Text()!).Intersect(recordedAnywhere).Except(recorded).ShouldBeEmpty(name);
                recorded.UnionWith(rule.At("record").Text() is { } record ? [record] : []);
            }
        }
    }

    [Fact]
    public void Alerts_EachSaysHowUrgentItIsAndWhatIsWrong()
    {
        Alerts.Count.ShouldBeGreaterThan(15);
        foreach (var alert in Alerts)
        {
            var name = alert.At("alert").Text();
            alert.At("labels", "severity").Text().ShouldBeOneOf("page", "ticket");
            alert.At("annotations", "summary").Text().ShouldNotBeNullOrWhiteSpace(name);
            alert.At("annotations", "description").Text().ShouldNotBeNullOrWhiteSpace(name);
        }
    }

    [Fact]
    public void Alerts_EachHasItsPlaceInTheRunbook()
    {
        var anchors = Anchor().Matches(Repository.Read(Runbook)).Select(static anchor => anchor.Groups[1].Value).ToHashSet(StringComparer.Ordinal);
        foreach (var alert in Alerts)
        {
            var url = alert.At("annotations", "runbook_url").Text().ShouldNotBeNull();
            url.ShouldStartWith($"{Runbook}#");
            anchors.ShouldContain(url[(Runbook.Length + 1)..]);
        }
    }

    [Fact]
    public void Alerts_EachIsTested_FiringAndSilent()
    {
        var scenes = Directory.EnumerateFiles(Path.Combine(Repository.Root, "docker/prometheus/tests"), "*.test.yml")
            .SelectMany(static file => YamlFile.Read(Path.GetRelativePath(Repository.Root, file)).At("tests").Items())
            .SelectMany(static test => test.At("alert_rule_test").Items())
            .ToLookup(static scene => scene.At("alertname").Text()!, static scene => scene.At("exp_alerts").Items().Any());

        foreach (var alert in Alerts.Select(static alert => alert.At("alert").Text()!))
        {
            scenes[alert].ShouldContain(true, $"{alert} never has to fire");
            scenes[alert].ShouldContain(false, $"{alert} never has to stay silent");
        }
    }

    [GeneratedRegex("<a id=\"([^\"]+)\">")]
    private static partial Regex Anchor();
}
