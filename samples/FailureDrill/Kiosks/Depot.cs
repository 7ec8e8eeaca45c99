using ResilientHost.Testing;

namespace FailureDrill.Kiosks;

/// <summary>The service behind the kiosk: a real listener whose answers a drill scripts.</summary>
internal sealed class Depot : IAsyncDisposable
{
    private readonly ScriptedServer _server;

    private Depot(ScriptedServer server)
    {
        _server = server;
        Stock = server.On("GET", "/stock");
        Prices = server.On("GET", "/prices");
        News = server.On("GET", "/news");
        Report = server.On("GET", "/report");
        Offers = server.On("GET", "/offers");
        OldOffers = server.On("GET", "/old-offers");
        Account = server.On("GET", "/account");
        Points = server.On("GET", "/points");
        foreach (var route in (ScriptedRoute[])[Stock, Prices, News, Report, Offers, OldOffers, Account, Points])
        {
            Mend(route);
        }
    }

    public Uri Address => _server.Address;

    /// <summary>Calls that are being answered, or hang.</summary>
    public int InFlight => _server.InFlight;

    public ScriptedRoute Stock { get; }

    public ScriptedRoute Prices { get; }

    public ScriptedRoute News { get; }

    public ScriptedRoute Report { get; }

    public ScriptedRoute Offers { get; }

    public ScriptedRoute OldOffers { get; }

    public ScriptedRoute Account { get; }

    public ScriptedRoute Points { get; }

    public static async Task<Depot> StartAsync(CancellationToken cancellationToken) => new(await ScriptedServer.StartAsync(cancellationToken: cancellationToken));

    /// <summary>Fails in the ways a service that is down does: busy, broken, gone.</summary>
    public static void Break(ScriptedRoute route) =>
        route.RepliesInCycle(ScriptedReply.Status(503), ScriptedReply.Status(500), ScriptedReply.Reset());

    public static void Mend(ScriptedRoute route) => route.Replies(ScriptedReply.Text("fresh"));

    public ValueTask DisposeAsync() => _server.DisposeAsync();
}
