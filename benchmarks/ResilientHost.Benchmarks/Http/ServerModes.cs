namespace ResilientHost.Benchmarks.Http;

/// <summary>Everything that is loaded, in the order of the table.</summary>
internal static class ServerModes
{
    public const string Bare = "bare";
    public const string Layers = "layers";
    public const string Refused = "refused";
    private const string ThrowingStock = "throwing-stock";

    public static IReadOnlyList<ServerMode> All { get; } =
    [
        new(Bare, Bare, 200, ServedApplications.Bare),

        // The same once more: what a process differs by from another that runs the same code is no difference.
        new("bare-again", Bare, 200, ServedApplications.Bare),
        new("stock", Bare, 200, ServedApplications.StockStack),
        new(Layers, Bare, 200, static () => ServedApplications.Layered()),
        new("layers-timeout", Bare, 200, static () => ServedApplications.Layered(withTimeout: true)),
        new("refused-stock", Bare, 500, ServedApplications.StockPollyOpen),
        new(Refused, Bare, 503, ServedApplications.LayeredOpen),
        new(ThrowingStock, Bare, 500, ServedApplications.StockThrowing),
        new("throwing-layers", ThrowingStock, 500, ServedApplications.LayeredThrowing),
    ];

    public static ServerMode Named(string name) => All.Single(mode => mode.Name == name);

    /// <summary>The modes whose name contains the text, and those that they are compared with.</summary>
    public static IReadOnlyList<ServerMode> Matching(string text)
    {
        var asked = All.Where(mode => mode.Name.Contains(text, StringComparison.OrdinalIgnoreCase)).Select(mode => mode.Name).ToHashSet();
        var needed = All.Where(mode => asked.Contains(mode.Name)).Select(mode => mode.Against).ToHashSet();
        return [.. All.Where(mode => asked.Contains(mode.Name) || needed.Contains(mode.Name))];
    }
}
