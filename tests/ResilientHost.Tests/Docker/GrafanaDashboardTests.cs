using System.Text.Json;
using ResilientHost.Tests.Conventions;

namespace ResilientHost.Tests.Docker;

public sealed class GrafanaDashboardTests
{
    private static JsonElement Dashboard { get; } = JsonDocument.Parse(Repository.Read("docker/grafana/dashboards/resilient-host.json")).RootElement;

    private static List<JsonElement> Panels { get; } = [.. Dashboard.GetProperty("panels").EnumerateArray()];

    private static IEnumerable<string> Queries =>
        Panels.Where(static panel => panel.TryGetProperty("targets", out _))
            .SelectMany(static panel => panel.GetProperty("targets").EnumerateArray())
            .Concat(Dashboard.GetProperty("annotations").GetProperty("list").EnumerateArray())
            .Select(static target => target.GetProperty("expr").GetString()!);

    [Fact]
    public void Queries_EveryMetric_IsOneThatIsMade()
    {
        string[] known = [.. PrometheusNames.OfInstruments(), .. PrometheusNames.Foreign];

        Queries.SelectMany(static query => PrometheusNames.Metrics(query.Replace("[$__rate_interval]", "", StringComparison.Ordinal).Replace("[2m]", "", StringComparison.Ordinal)))
            .Distinct().Except(known).ShouldBeEmpty();
    }

    [Fact]
    public void Queries_EveryLabel_IsATag() =>
        Queries.SelectMany(PrometheusNames.Labels).Distinct().Except(PrometheusNames.OfTags()).ShouldBeEmpty();

    [Fact]
    public void Queries_EveryValueOfATag_IsOneThatItCanHave() =>
        Queries.SelectMany(PrometheusNames.ImpossibleValues).Distinct().ShouldBeEmpty();

    [Fact]
    public void Panels_EveryOne_HasItsOwnNumberATitleAndAQuery()
    {
        Panels.Select(static panel => panel.GetProperty("id").GetInt32()).ShouldBeUnique();
        foreach (var panel in Panels)
        {
            panel.GetProperty("title").GetString().ShouldNotBeNullOrWhiteSpace();
            (panel.GetProperty("type").GetString() == "row" || panel.GetProperty("targets").GetArrayLength() > 0).ShouldBeTrue();
        }
    }

    [Fact]
    public void Panels_NoTwoOverlap_AndNoneIsWiderThanThePage()
    {
        var taken = new HashSet<(int, int)>();
        foreach (var place in Panels.Select(static panel => panel.GetProperty("gridPos")))
        {
            var (x, y, w, h) = (place.GetProperty("x").GetInt32(), place.GetProperty("y").GetInt32(), place.GetProperty("w").GetInt32(), place.GetProperty("h").GetInt32());
            (x + w).ShouldBeLessThanOrEqualTo(24);
            foreach (var cell in Enumerable.Range(x, w).SelectMany(column => Enumerable.Range(y, h).Select(row => (column, row))))
            {
                taken.Add(cell).ShouldBeTrue();
            }
        }
    }

    [Fact]
    public void Provisioning_FindsTheDashboardAndItsSource()
    {
        var provider = YamlFile.Read("docker/grafana/provisioning/dashboards/dashboards.yaml").At("providers").Items().ShouldHaveSingleItem();
        var mounts = YamlFile.Read("docker/compose.yaml").At("services", "grafana", "volumes").Items().Select(static volume => volume.Text());

        mounts.ShouldContain($"./grafana/dashboards:{provider.At("options", "path").Text()}:ro");
        var source = YamlFile.Read("docker/grafana/provisioning/datasources/datasources.yaml").At("datasources").Items()
            .Single(static source => source.At("type").Text() == "prometheus");
        var chosen = Dashboard.GetProperty("templating").GetProperty("list")[0];
        chosen.GetProperty("type").GetString().ShouldBe("datasource");
        chosen.GetProperty("current").GetProperty("value").GetString().ShouldBe(source.At("uid").Text());
    }
}
