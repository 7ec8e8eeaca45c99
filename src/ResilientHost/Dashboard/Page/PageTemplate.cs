using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;

namespace ResilientHost.Dashboard.Page;

/// <summary>The page with what is known when it is asked for: all there is to see with JavaScript off, and the first picture with it.</summary>
/// <remarks>Values enter it encoded. Where it says <c>{{name}}</c> the template wants the value of that name.</remarks>
internal static class PageTemplate
{
    // Text and names in turn.
    private static readonly Lazy<string[]> Parts = new(static () => Encoding.UTF8.GetString(PageAsset.Read("dashboard.html")).Split("{{").SelectMany(static part => part.Split("}}", 2)).ToArray());

    public static string Fill(ResilienceStatus status, ConfigurationStatus configuration, DateTimeOffset now, string basePath, bool mayOperate)
    {
        var values = Values(status, configuration, now, basePath, mayOperate);
        var page = new StringBuilder(32 * 1024);
        for (var i = 0; i < Parts.Value.Length; i++)
        {
            page.Append(i % 2 == 0 ? Parts.Value[i] : values[Parts.Value[i]]);
        }

        return page.ToString();
    }

    private static Dictionary<string, string> Values(ResilienceStatus status, ConfigurationStatus configuration, DateTimeOffset now, string basePath, bool mayOperate)
    {
        var problems = PageProblems.Of(status, configuration, now);
        var verdict = PageVerdict.Of(status, problems);
        var modes = status.CircuitBreakers.Where(static circuit => circuit.Key is null).ToDictionary(static circuit => circuit.Name, static circuit => circuit.Mode, StringComparer.Ordinal);
        var authorities = status.HttpClients.SelectMany(static client => client.Authorities.Select(authority => (client, authority))).ToList();
        return new(StringComparer.Ordinal)
        {
            ["title"] = Text($"{verdict.Short} · {status.Service}"),
            ["base"] = Text(basePath),
            ["icon"] = "data:,",
            ["operates"] = mayOperate ? " data-operate" : "",
            ["service"] = Text(status.Service),
            ["instance"] = Text(status.Instance),
            ["started"] = PageWords.Moment(status.StartedAt),
            ["now"] = now.UtcDateTime.ToString("O", CultureInfo.InvariantCulture),
            ["at"] = PageWords.Moment(now),
            ["severity"] = verdict.Severity,
            ["wire"] = verdict.Symbol,
            ["verdict"] = Text(verdict.Text),
            ["summary"] = Text(verdict.Summary),
            ["problems"] = PageTables.Problems(problems),
            ["problemsleft"] = PageTables.Left(problems.Count),
            ["noproblemsleft"] = HiddenIf(PageTables.Left(problems.Count).Length == 0),
            ["noproblems"] = problems.Count == 0 ? " hidden" : "",
            ["circuitcount"] = status.CircuitBreakers.Count.ToString(CultureInfo.InvariantCulture),
            ["circuits"] = PageTables.Circuits(status),
            ["circuitsleft"] = PageTables.Left(status.CircuitBreakers.Count),
            ["nocircuits"] = HiddenIf(status.CircuitBreakers.Count > 0),
            ["levelwhy"] = status.Degradation.Overridden ? "Set by hand" : "",
            ["ladder"] = PageTables.Ladder(status.Level),
            ["signals"] = PageTables.Signals(status),
            ["workers"] = PageTables.Workers(status, now),
            ["noworkers"] = HiddenIf(status.Workers.Count > 0),
            ["clients"] = PageTables.Clients(authorities, client => modes.GetValueOrDefault($"http:{client.Name}", CircuitMode.Enforce)),
            ["noclients"] = HiddenIf(authorities.Count > 0),
            ["bulkheads"] = PageTables.Bulkheads(status),
            ["nobulkheads"] = HiddenIf(status.Bulkheads.Count > 0),
            ["fallbacks"] = PageTables.Fallbacks(status),
            ["nofallbacks"] = HiddenIf(status.Fallbacks.Count > 0),
        };
    }

    private static string Text(string text) => HtmlEncoder.Default.Encode(text);

    private static string HiddenIf(bool isHidden) => isHidden ? " hidden" : "";
}
