namespace ResilientHost.Benchmarks.Ratios;

/// <summary>The figures that a change may not lose. A row that is not here is reported only.</summary>
internal static class Bars
{
    private static readonly Dictionary<string, Bar> ByRow = new Bar[]
    {
        //  row                                         ratio, ours : peer          bytes per operation
        // Neighbours can make the clock and the counters dearer than Polly's lock for minutes: such machines show 0.20 and 0.28 of the same code. A lock shows 0.27 to 0.29, a doubling 0.28 and 0.39.
        new("breaker/closed-success",                   RatioLimit.AtMost, 0.22,    BytesLimit.Ours, 0) { Aim = 0.15 },
        new("breaker/closed-success-slow-call-timing",  RatioLimit.AtMost, 0.30,    BytesLimit.Ours, 0),
        new("breaker/closed-success-count-window",      RatioLimit.AtMost, 0.30,    BytesLimit.Ours, 0),
        // 24 where each thread has a processor. Threads that take turns do not contend, and that is all that the peer loses by: a busy machine shows 5.
        new("breaker/closed-success-2-threads",         RatioLimit.AtLeast, 4,      BytesLimit.Ours, 0) { Aim = 8 },
        new("breaker/closed-success-8-threads",         RatioLimit.AtLeast, 4,      BytesLimit.Ours, 0) { Aim = 8 },
        // One word that all threads write costs 5 times as much. What is above 1 is the look for a place of one's own.
        new("breaker/cpu-per-call-2-threads",           RatioLimit.AtMost, 1.5,     BytesLimit.Ours, 0) { Aim = 1.2 },
        new("breaker/cpu-per-call-8-threads",           RatioLimit.AtMost, 1.5,     BytesLimit.Ours, 0) { Aim = 1.2 },
        new("breaker/open-refusal",                     RatioLimit.AtMost, 0.0075,  BytesLimit.Ours, 0) { Aim = 0.005 },
        new("breaker/open-refusal-outcome",             RatioLimit.AtMost, 0.14,    BytesLimit.Ours, 0) { Aim = 0.1 },
        new("bulkhead/admitted",                        RatioLimit.AtMost, 0.30,    BytesLimit.Ours, 0) { Aim = 0.25 },
        // As with the breaker: 19 on a quiet machine.
        new("bulkhead/admitted-2-threads",              RatioLimit.AtLeast, 2.5,    BytesLimit.Ours, 0) { Aim = 5 },
        new("bulkhead/admitted-fair-share",             RatioLimit.AtMost, 2.2,     BytesLimit.Ours, 0),
        // With entries in all tables and the key itself: 381 repeats to the byte.
        new("partition/idle-bytes",                     RatioLimit.OursAtMost, 400, BytesLimit.None, 0) { Aim = 256 },
        // 128 more, 509, are what a circuit's window keeps once its calls lie in more than one tenth of it: most callers' do.
        new("partition/idle-bytes-spread-calls",        RatioLimit.OursAtMost, 520, BytesLimit.None, 0),
        // 100,000 in less than a second is the aim; it has been a twentieth of that.
        new("partition/create",                         RatioLimit.OursAtMost, 2500, BytesLimit.None, 0),
        // 20 ns of the clock's 25.
        new("degradation/look",                         RatioLimit.AtMost, 0.8,     BytesLimit.Ours, 0),
        new("degradation/shed-problem",                 RatioLimit.AtMost, 2,       BytesLimit.None, 0),
        new("request/synchronous-endpoint",             RatioLimit.None, 0,         BytesLimit.Added, 0),
        new("request/synchronous-endpoint-http2",       RatioLimit.None, 0,         BytesLimit.Added, 0),
        new("request/awaiting-endpoint",                RatioLimit.None, 0,         BytesLimit.Added, 128),
        new("request/awaiting-endpoint-http2",          RatioLimit.None, 0,         BytesLimit.Added, 128),
        // Differences of two times are noisier than either: on a busy machine they have strayed by a quarter.
        new("request/added",                            RatioLimit.AtMost, 0.20,    BytesLimit.Ours, 0) { Aim = 0.10 },
        new("request/added-timeout",                    RatioLimit.AtMost, 0.42,    BytesLimit.Ours, 48) { Aim = 0.20 },
        // A microsecond; what is measured is a tenth of it.
        new("request/all-instruments-listened",         RatioLimit.AddedAtMost, 300, BytesLimit.Added, 0) { Aim = 1000 },
        new("request/fallback",                         RatioLimit.None, 0,         BytesLimit.Added, 0),
        new("request/fallback-awaiting",                RatioLimit.None, 0,         BytesLimit.Added, 0),
        new("request/stale-fallback",                   RatioLimit.None, 0,         BytesLimit.Added, 0),
        // One source, for the token that the writer of JSON asks for.
        new("request/timeout",                          RatioLimit.None, 0,         BytesLimit.Added, 48),
        new("request/timeout-awaiting",                 RatioLimit.None, 0,         BytesLimit.Added, 48),
        // Half of what the same strategies cost by hand: 0.31 of the time, a seventh of the bytes for a call that waits, as calls do. 96 B of its 248 are the transport's, the rest is the one task that its caller waits for.
        new("outbound/success-awaiting",                RatioLimit.AtMost, 0.45,    BytesLimit.Ours, 256),
        // 0.35 to 0.39, and 0.46 in minutes in which neighbours disturb the machine; a doubling is 0.7. What is answered at once is answered with the transport's own task; a byte is what is left of the harness's request, shared by a thousand calls.
        new("outbound/success",                         RatioLimit.AtMost, 0.50,    BytesLimit.Ours, 1),
        // The aim is 1.03: one count on a core's own line, and the look at the watch.
        new("dashboard/closed",                         RatioLimit.AtMost, 1.10,    BytesLimit.Added, 0),
        // The aim is a hundredth of the machine, with the pages' own ends: 1.01. Rounds of a busy machine stray by 0.05.
        new("dashboard/ten-pages",                      RatioLimit.AtMost, 1.06,    BytesLimit.None, 0),
        // It is at 0.03; a doubling is over the bar, a busy machine is not.
        new("refusal/circuit-open-problem",             RatioLimit.AtMost, 0.06,    BytesLimit.Ours, 160) { Aim = 0.05 },
        new("cache/hit",                                RatioLimit.AtMost, 3,       BytesLimit.Ours, 0),
        // One full entry in ten seconds against one for each failure.
        new("recovery/storm-logged",                    RatioLimit.AtMost, 0.35,    BytesLimit.None, 0) { Aim = 0.3 },
        // Nine tenths of both sides are the endpoint's own throws; a catch that writes two bytes, and does nothing else, comes to 0.86.
        new("recovery/storm",                           RatioLimit.AtMost, 1.05,    BytesLimit.None, 0) { Aim = 0.85 },
        new("recovery/storm-layers",                    RatioLimit.AtMost, 0.95,    BytesLimit.None, 0) { Aim = 0.85 },
        // Half a microsecond of five to ten, which is a machine's speed, and 200 B; the bytes of a step hold exactly.
        new("failing/breaker",                          RatioLimit.AtMost, 1.15,    BytesLimit.Added, 200) { Aim = 500, AimLimit = RatioLimit.AddedAtMost },
        new("failing/bulkhead",                         RatioLimit.AtMost, 1.15,    BytesLimit.Added, 200) { Aim = 500, AimLimit = RatioLimit.AddedAtMost },
        new("failing/timeout",                          RatioLimit.AtMost, 1.15,    BytesLimit.Added, 200) { Aim = 500, AimLimit = RatioLimit.AddedAtMost },
        new("failing/criticality",                      RatioLimit.AtMost, 1.15,    BytesLimit.Added, 200) { Aim = 500, AimLimit = RatioLimit.AddedAtMost },
        // Not layers around the failure, but what is done about it: guards that are set and taken away, a place in a bulkhead, checks made again. In the second row a third of it, and 136 B, are the answer's JSON, which in the last one both sides write.
        new("failing/stale-fallback",                   RatioLimit.AtMost, 1.40,    BytesLimit.Added, 200) { Aim = 500, AimLimit = RatioLimit.AddedAtMost },
        new("failing/fallback",                         RatioLimit.AtMost, 1.45,    BytesLimit.Added, 300) { Aim = 500, AimLimit = RatioLimit.AddedAtMost },
        new("failing/fallback-own",                     RatioLimit.AtMost, 1.35,    BytesLimit.Added, 200) { Aim = 500, AimLimit = RatioLimit.AddedAtMost },
        // A start that builds the endpoints twice is at 2.2.
        new("start/thousand-endpoints",                 RatioLimit.AtMost, 1.25,    BytesLimit.None, 0) { Aim = 1.10 },
        // With handlers that cost a start nothing, what is left is what the layers' own code costs to load and to compile: as much again as the whole bare application, which twice as much would show.
        new("start/thousand-delegates",                 RatioLimit.AtMost, 2.4,     BytesLimit.None, 0),
    }.ToDictionary(bar => bar.Row);

    public static Bar? For(string row) => ByRow.GetValueOrDefault(row);

    /// <summary>Bars whose row nobody measures: a renamed row must not drop its bar in silence.</summary>
    public static IEnumerable<string> WithoutRow(IEnumerable<string> rows) => ByRow.Keys.Except(rows);
}
