using System.Text;
using System.Text.Encodings.Web;

namespace ResilientHost.Dashboard.Page;

/// <summary>The rows of the page's tables as they stand.</summary>
internal static class PageTables
{
    private const int MaxRows = 1000;

    public static string Problems(IReadOnlyList<PageProblem> problems) => Rows(problems, static problem =>
        $"""<tr data-kind="{problem.Kind}">{Named("broken", problem.Symbol, problem.What, problem.Detail)}{Cell("by", problem.Protection, "Protected by")}{Cell("then", problem.Next, "Next")}<td></td></tr>""");

    public static string Circuits(ResilienceStatus status)
    {
        var bulkheads = status.Bulkheads.DistinctBy(static bulkhead => bulkhead.Name, StringComparer.Ordinal).ToDictionary(static bulkhead => bulkhead.Name, StringComparer.Ordinal);
        return Rows(status.CircuitBreakers.OrderBy(static circuit => circuit.State == CircuitState.Closed && circuit.Mode != CircuitMode.ForcedOpen), circuit =>
        {
            var (kind, symbol, word) = PageWords.Of(circuit.State, circuit.Mode);
            var bulkhead = bulkheads.GetValueOrDefault(circuit.Name);
            var next = kind == "open" ? $", {PageWords.Uncapital(PageWords.HalfOpens(circuit.RetryAfterSeconds))}" : circuit.Mode == CircuitMode.Shadow ? $", shadow, {PageWords.Number(circuit.WouldHaveRefused)} not refused" : "";
            return string.Concat(
                $"""<tr data-kind="{kind}">{Named("circuit", symbol, PageWords.NameOf(circuit), word + next)}""",
                Cell("n traffic", PageWords.Rate(circuit.CallsPerSecond), "Traffic"),
                """<td class="spark js"></td>""",
                Cell("n errors", circuit.Calls == 0 ? "–" : PageWords.Share(circuit.FailureRatio), "Errors"),
                Cell("n slow", circuit.Calls == 0 ? "–" : PageWords.Share(circuit.SlowCallRatio), "Slow"),
                Cell("n p50", PageWords.Time(circuit.P50Seconds), "p50"),
                Cell("n p90", PageWords.Time(circuit.P90Seconds), "p90"),
                Cell("n p99", PageWords.Time(circuit.P99Seconds), "p99"),
                Cell("n flight", bulkhead is null ? "–" : PageWords.Of(bulkhead.InFlight, bulkhead.Limit), "In flight"),
                """<td class="act js"></td></tr>""");
        });
    }

    public static string Ladder(ServiceLevel level) => Rows(Enum.GetValues<ServiceLevel>().Reverse(), each =>
        $"""<li data-level="{(each == level ? $"{each}\" aria-current=\"true" : each.ToString()).ToLowerInvariant()}"><b>{each}</b><span>{Text(PageWords.Of(each))}</span></li>""");

    public static string Signals(ResilienceStatus status) => Rows(status.Signals, static signal =>
        $"""<tr{(signal.Decides ? "" : " data-silent")}><th scope="row">{Text(PageSignals.NameOf(signal))}</th>{Cell("n", PageSignals.Figure(signal, signal.Value))}<td class="gauge js"></td>{Cell("n limits", PageSignals.Range(signal))}</tr>""");

    public static string Workers(ResilienceStatus status, DateTimeOffset now) => Rows(status.Workers, worker =>
    {
        var (kind, symbol, word) = PageWords.Of(worker.State);
        return $"""<tr data-kind="{kind}">{Named("broken", symbol, worker.Name, worker.LastFailure is { } failure && worker.State != WorkerState.Running ? $"{word}: {PageWords.TypeName(failure)}" : word)}{Cell("n", PageWords.Number(worker.Restarts))}{Cell("n", worker.LastHeartbeat is { } heard ? PageWords.Span(now - heard) : "–")}</tr>""";
    });

    public static string Clients(IEnumerable<(HttpClientStatus Client, AuthorityStatus Authority)> authorities, Func<HttpClientStatus, CircuitMode> modeOf) => Rows(authorities, each =>
    {
        var (client, authority) = each;
        var (kind, symbol, word) = PageWords.Of(authority.State, modeOf(client));
        return string.Concat(
            $"""<tr data-kind="{kind}"><th class="broken" scope="row"><span class="two"><b>{Text(client.Name)}</b><span class="detail">{Text(authority.Authority)}</span></span></th>""",
            $"""<td class="state">{Glyph(symbol)}<span>{word}</span></td>""",
            Cell("n", authority.Calls == 0 ? "–" : PageWords.Share(authority.FailureRatio), "Errors"),
            Cell("n", PageWords.Number(authority.Calls), "Calls"),
            Cell("n", PageWords.Of(authority.InFlight, authority.Limit), "In flight"),
            Cell("n", PageWords.Number(authority.RetriesLately), "Retries 10 s"),
            Cell("certificate", authority.CertificateFault ?? (authority.CertificateExpiresAt is { } end ? $"Until {PageWords.Day(end)}" : "–"), "Certificate"),
            "</tr>");
    });

    public static string Bulkheads(ResilienceStatus status) => Rows(status.Bulkheads, static bulkhead =>
        $"""<tr><th class="name" scope="row">{Text(bulkhead.Name)}</th>{Cell("n", PageWords.Number(bulkhead.InFlight))}{Cell("n", bulkhead.Limit is { } limit ? PageWords.Number(limit) : "none")}{Cell("n", PageWords.Number(bulkhead.Queued))}{Cell("n", PageWords.Number(bulkhead.Refused))}</tr>""");

    public static string Fallbacks(ResilienceStatus status) => Rows(status.Fallbacks, static fallback =>
        $"""<tr><th class="name" scope="row">{Text(fallback.Endpoint)}</th>{Cell("n", PageWords.Number(fallback.Delegate))}{Cell("n", PageWords.Number(fallback.Stale))}{Cell("n", PageWords.Number(fallback.Failed))}</tr>""");

    /// <summary>How many of so many have no row.</summary>
    public static string Left(int count) => count > MaxRows ? $"And {PageWords.Number(count - MaxRows)} more." : "";

    private static string Rows<T>(IEnumerable<T> items, Func<T, string> row) => items.Take(MaxRows).Aggregate(new StringBuilder(), (rows, item) => rows.Append(row(item)), static rows => rows.ToString());

    private static string Named(string className, string symbol, string name, string detail) =>
        $"""<th class="{className}" scope="row">{Glyph(symbol)}<span class="two"><b>{Text(name)}</b><span class="detail">{Text(detail)}</span></span></th>""";

    private static string Cell(string className, string text, string? label = null) => $"""<td class="{className}"{(label is null ? "" : $" data-label=\"{label}\"")}>{Text(text)}</td>""";

    private static string Glyph(string symbol) => $"""<svg class="glyph" aria-hidden="true" viewBox="0 0 32 16"><use href="#{symbol}"/></svg>""";

    private static string Text(string text) => HtmlEncoder.Default.Encode(text);
}
