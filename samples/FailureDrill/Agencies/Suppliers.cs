using ResilientHost.Testing;

namespace FailureDrill.Agencies;

/// <summary>The services that an agency buys from: a real listener whose answers a drill scripts.</summary>
internal sealed class Suppliers : IUpstream
{
    /// <summary>Of so many calls the flaky ones fail one; few enough for the budget of retries, a tenth of all calls.</summary>
    public const int OneOf = 15;

    public const int MapLength = 20_000;

    private readonly ScriptedServer _server;

    private Suppliers(ScriptedServer server)
    {
        _server = server;
        Fares = server.On("GET", "/fares");
        Rooms = server.On("GET", "/rooms");
        Cars = server.On("GET", "/cars");
        RentedCars = server.On("POST", "/cars");
        Maps = server.On("GET", "/maps");
        Offers = server.On("GET", "/offers");
        foreach (var route in (ScriptedRoute[])[Fares, Rooms, Cars, RentedCars, Offers])
        {
            route.Replies(Good);
        }

        Maps.Replies(Map);
    }

    public static ScriptedReply Good { get; } = ScriptedReply.Text("fresh");

    public static ScriptedReply Map { get; } = ScriptedReply.Text(new string('#', MapLength));

    public IReadOnlyList<string> Arguments => ["--suppliers", _server.Address.ToString()];

    /// <summary>As the last of a chain it is asked for offers itself.</summary>
    public IReadOnlyList<string> PartnerArguments => ["--partner", _server.Address.ToString()];

    /// <summary>Calls that are being answered.</summary>
    public int InFlight => _server.InFlight;

    public ScriptedRoute Fares { get; }

    public ScriptedRoute Rooms { get; }

    public ScriptedRoute Cars { get; }

    public ScriptedRoute RentedCars { get; }

    public ScriptedRoute Maps { get; }

    public ScriptedRoute Offers { get; }

    public static async Task<Suppliers> StartAsync(CancellationToken cancellationToken) => new(await ScriptedServer.StartAsync(cancellationToken: cancellationToken));

    /// <summary>Answers well but for one call of <see cref="OneOf"/>, which gets each of <paramref name="bad"/> in turn.</summary>
    public static void Spoil(ScriptedRoute route, ScriptedReply good, params IReadOnlyList<ScriptedReply> bad) =>
        route.RepliesInCycle([.. bad.SelectMany(reply => (ScriptedReply[])[good.Times(OneOf - 1), reply])]);

    public ValueTask DisposeAsync() => _server.DisposeAsync();
}
