namespace ResilientHost.Benchmarks.Ratios;

/// <summary>The figures that a change may not lose. A row that is not here is reported only.</summary>
internal static class Bars
{
    private static readonly Dictionary<string, Bar> ByRow = new Bar[]
    {
        //  row                                         ratio, ours : peer          bytes per operation
        new("breaker/closed-success",                   RatioLimit.AtMost, 0.20,    BytesLimit.Ours, 0),
        new("breaker/closed-success-slow-call-timing",  RatioLimit.AtMost, 0.35,    BytesLimit.Ours, 0),
        new("breaker/closed-success-2-threads",         RatioLimit.AtLeast, 6,      BytesLimit.Ours, 0),
        new("breaker/closed-success-8-threads",         RatioLimit.AtLeast, 6,      BytesLimit.Ours, 0),
        new("breaker/open-refusal",                     RatioLimit.AtMost, 0.02,    BytesLimit.Ours, 0),
        new("bulkhead/admitted",                        RatioLimit.AtMost, 0.30,    BytesLimit.Ours, 0),
        new("bulkhead/admitted-fair-share",             RatioLimit.None, 0,         BytesLimit.Ours, 0),
        // 20 ns of the clock's 25.
        new("degradation/look",                         RatioLimit.AtMost, 0.8,     BytesLimit.Ours, 0),
        new("degradation/shed-problem",                 RatioLimit.AtMost, 2,       BytesLimit.None, 0),
        new("request/synchronous-endpoint",             RatioLimit.None, 0,         BytesLimit.Added, 0),
        new("request/awaiting-endpoint",                RatioLimit.None, 0,         BytesLimit.Added, 128),
        new("request/fallback",                         RatioLimit.None, 0,         BytesLimit.Added, 0),
        new("request/fallback-awaiting",                RatioLimit.None, 0,         BytesLimit.Added, 0),
        new("request/stale-fallback",                   RatioLimit.None, 0,         BytesLimit.Added, 0),
        // One source, for the token that the writer of JSON asks for.
        new("request/timeout",                          RatioLimit.None, 0,         BytesLimit.Added, 48),
        new("request/timeout-awaiting",                 RatioLimit.None, 0,         BytesLimit.Added, 48),
        // The aim is 0.5, half of what the same strategies cost by hand, for a call that waits, as calls do; single rounds of a busy machine have been above.
        new("outbound/success-awaiting",                RatioLimit.AtMost, 0.55,    BytesLimit.Ours, 600),
        new("outbound/success",                         RatioLimit.AtMost, 0.8,     BytesLimit.Ours, 344),
        // The aim is 1.03: one count on a core's own line, and the look at the watch.
        new("dashboard/closed",                         RatioLimit.AtMost, 1.10,    BytesLimit.Added, 0),
        // The aim is a hundredth of the machine, with the pages' own ends: 1.01. Rounds of a busy machine stray by 0.05.
        new("dashboard/ten-pages",                      RatioLimit.AtMost, 1.06,    BytesLimit.None, 0),
        // The aim is 0.05. On a busy machine it has been 0.052; a regression worth the name is more.
        new("refusal/circuit-open-problem",             RatioLimit.AtMost, 0.065,   BytesLimit.None, 0),
        // A start that builds the endpoints twice is at 2.2.
        new("start/thousand-endpoints",                 RatioLimit.AtMost, 1.25,    BytesLimit.None, 0) { Aim = 1.10 },
        // With handlers that cost a start nothing, what is left is what the layers' own code costs to load and to compile: as much again as the whole bare application, which twice as much would show.
        new("start/thousand-delegates",                 RatioLimit.AtMost, 2.4,     BytesLimit.None, 0),
    }.ToDictionary(bar => bar.Row);

    public static Bar? For(string row) => ByRow.GetValueOrDefault(row);

    /// <summary>Bars whose row nobody measures: a renamed row must not drop its bar in silence.</summary>
    public static IEnumerable<string> WithoutRow(IEnumerable<string> rows) => ByRow.Keys.Except(rows);
}
