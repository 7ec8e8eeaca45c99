using System.Globalization;

namespace ResilientHost.Benchmarks.Soak;

/// <summary>What is asked of the soaked service: mostly what goes well, and something of everything that does not.</summary>
internal static class SoakTraffic
{
    /// <summary>More callers than are kept apart, so that partitions come and go.</summary>
    public const int Tenants = 400;

    public static IReadOnlyList<SoakKind> All { get; } =
    [
        new("ok", "/ok", 40, 200),
        new("awaiting", "/awaiting", 16, 200, 503),
        new("tenant", "/tenants/{0}", 14, 200),
        new("outbound", "/outbound", 6, 200),
        new("outbound-flaky", "/outbound-flaky", 2, 200, 502, 503),
        new("stale", "/stale/{0}", 4, 200, 500),
        new("fallback", "/fallback", 3, 200),
        new("failing", "/failing", 3, 500),
        new("throwing", "/throwing", 3, 500),
        new("refused", "/refused", 3, 503),
        new("narrow", "/narrow", 3, 200, 503),
        new("timeout", "/timeout", 1, 504),
        new("cancelled", "/slow", 2) { IsCancelled = true },
    ];

    public static string PathOf(SoakKind kind, long number)
    {
        // Each hundred is shifted against the last, so that every kind comes by every number.
        var shifted = number + (7 * (number / 100));
        return string.Format(CultureInfo.InvariantCulture, kind.Path, shifted % Tenants);
    }

    /// <summary>A hundred requests in an order that is always the same and looks like none.</summary>
    public static IReadOnlyList<SoakKind> Hundred()
    {
        var hundred = All.SelectMany(kind => Enumerable.Repeat(kind, kind.Weight)).ToArray();
        new Random(8).Shuffle(hundred);
        return hundred;
    }
}
