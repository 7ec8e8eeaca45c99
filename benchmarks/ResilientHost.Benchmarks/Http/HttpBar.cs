namespace ResilientHost.Benchmarks.Http;

/// <summary>What a row must reach.</summary>
/// <param name="Mode">Name of the row.</param>
/// <param name="Text">The bar in words.</param>
/// <param name="Holds">Whether a row that has both ratios reaches it.</param>
internal sealed record HttpBar(string Mode, string Text, Func<PairedRatio, PairedRatio, bool> Holds)
{
    private static readonly HttpBar[] All =
    [
        new(ServerModes.Layers, "CPU ≤ 1.03, requests/s ≥ 0.95 at the lower end", static (requests, cpu) => cpu.Median <= 1.03 && requests.Low >= 0.95),
        new(ServerModes.Refused, "requests/s ≥ 1.0", static (requests, _) => requests.Median >= 1),
    ];

    public static HttpBar? For(string mode) => Array.Find(All, bar => bar.Mode == mode);

    public bool IsHeldBy(HttpRow row) => row is { Ratio: { } requests, CpuRatio: { } cpu } && Holds(requests, cpu);
}
