using System.Text;

namespace ResilientHost.IntegrationTests.Soak;

/// <summary>The endpoints of the soak, each with the answers it may give.</summary>
internal static class SoakEndpoints
{
    private const string Thrown = "500 unhandled_exception";
    private const string TimedOut = "504 timeout";
    private const string Open = "503 circuit_open";
    private const string Full = "503 bulkhead_full";
    private const string Waited = "503 queue_timeout";
    private const string Shed = "503 shed";
    private const string OverShare = "429 bulkhead_full";

    // Where a handler races a timer, a machine that stands still for a moment lets either win.
    public static IReadOnlyList<SoakEndpoint> All { get; } =
    [
        new("fine", ["200"], [], static (app, path) => app.MapGet(path, static (int n) => Real(n))) { Weight = 6 },
        new("awaiting", ["200"], [], static (app, path) => app.MapGet(path, static async (int n) =>
        {
            await Task.Yield();
            return Real(n);
        })) { Weight = 4 },
        new("stream", ["200"], [], static (app, path) => app.MapGet(path, static async (int n, HttpContext context) =>
        {
            var text = Real(n);
            context.Response.ContentType = "text/event-stream";
            await context.Response.WriteAsync(text[..3]);
            await context.Response.Body.FlushAsync();
            await Task.Delay(2, context.RequestAborted);
            await context.Response.WriteAsync(text[3..]);
        })),

        new("throw-sync", [Thrown], [], static (app, path) => app.MapGet(path, static string (int n) => throw new SoakException($"at once {n}"))),
        new("throw-async", [Thrown], [], static (app, path) => app.MapGet(path, static async Task<string> (int n) =>
        {
            await Task.Yield();
            throw new SoakException($"later {n}");
        })),
        new("started", [Cut], [], static (app, path) => app.MapGet(path, static async (HttpContext context) =>
        {
            await context.Response.WriteAsync("part");
            await context.Response.Body.FlushAsync();
            throw new SoakException("after the start");
        })),
        new("answer-503", ["503"], [], static (app, path) => app.MapGet(path, static () => Results.StatusCode(503))),

        new("fallback", ["200", "200 delegate"], [Thrown], static (app, path) =>
            app.MapGet(path, static (int n) => n % 2 == 0 ? Real(n) : throw new SoakException("odd")).WithFallback(static (int n) => Spare(n))) { Weight = 4 },
        new("fallback-async", ["200", "200 delegate"], [Thrown], static (app, path) => app.MapGet(path, static async Task<string> (int n) =>
        {
            await Task.Yield();
            return n % 2 == 0 ? Real(n) : throw new SoakException("odd");
        }).WithFallback(static async (int n, FallbackContext _) =>
        {
            await Task.Yield();
            return Spare(n);
        })) { Weight = 2 },
        new("fallback-503", ["200", "200 delegate"], ["503"], static (app, path) => app.MapGet(path, static async (int n, HttpContext context) =>
        {
            context.Response.StatusCode = n % 2 == 0 ? 200 : 503;
            await context.Response.WriteAsync(Real(n));
        }).WithFallback(static (int n) => Spare(n))) { Weight = 2 },
        new("fallback-body", ["200", "200 delegate"], [Thrown], static (app, path) => app.MapPost(path, static async Task<string> (int n, HttpRequest request) =>
        {
            using var reader = new StreamReader(request.Body);
            var body = await reader.ReadToEndAsync();
            return n % 2 == 0 ? body : throw new SoakException("odd");
        }).WithFallback(static async Task<string> (int n, Stream body) =>
        {
            using var reader = new StreamReader(body);
            return (await reader.ReadToEndAsync()) == Real(n) ? Spare(n) : "another request's body";
        })) { IsPost = true, Weight = 2 },
        new("fallback-fails", [Thrown], [], static (app, path) =>
            app.MapGet(path, static string () => throw new SoakException("first")).WithFallback(static string () => throw new SoakException("second"))),
        new("fallback-slow", [Thrown], ["200 delegate"], static (app, path) =>
            app.MapGet(path, static string () => throw new SoakException("first")).WithFallback(static async (int n, CancellationToken token) =>
            {
                await Task.Delay(TimeSpan.FromSeconds(2), token);
                return Spare(n);
            })),
        new("fallback-hangs", [Cut], [Thrown, "200 delegate"], static (app, path) =>
            app.MapGet(path, static string () => throw new SoakException("first")).WithFallback(static async (int n) =>
            {
                await Task.Delay(500);
                return Spare(n);
            })),

        new("stale", ["200", "200 stale"], [Thrown], static (app, path) =>
            app.MapGet(path, static (int n) => Fails() ? throw new SoakException("now and then") : Real(n)).WithStaleFallback(TimeSpan.FromSeconds(5))) { Keys = 20, Weight = 3 },
        new("stale-flood", ["200", Thrown], ["200 stale"], static (app, path) =>
            app.MapGet(path, static (int n) => Fails() ? throw new SoakException("now and then") : Real(n)).WithStaleFallback(TimeSpan.FromMinutes(1))) { Keys = int.MaxValue, Weight = 3 },
        new("stale-circuit", ["200", "200 stale"], [Thrown, Open], static (app, path) =>
            app.MapGet(path, static (int n) => Fails() ? throw new SoakException("now and then") : Real(n))
                .WithCircuitBreaker("flaky").WithStaleFallback(TimeSpan.FromSeconds(5))) { Keys = 20, Weight = 2 },

        new("timeout-unused", ["200"], [], static (app, path) => app.MapGet(path, static (int n) => Real(n)).WithTimeout(TimeSpan.FromSeconds(10))) { Weight = 4 },
        new("timeout", ["200", TimedOut], [], static (app, path) => app.MapGet(path, static async (int n, CancellationToken token) =>
        {
            await Task.Delay(n % 60, token);
            return Real(n);
        }).WithTimeout(TimeSpan.FromMilliseconds(40))) { Weight = 2 },
        new("timeout-ignored", [Cut], [TimedOut, "200"], static (app, path) => app.MapGet(path, static async (int n) =>
        {
            await Task.Delay(500);
            return Real(n);
        }).WithTimeout(TimeSpan.FromMilliseconds(40))),
        new("timeout-fallback", ["200", "200 delegate"], [TimedOut], static (app, path) => app.MapGet(path, static async (int n, CancellationToken token) =>
        {
            await Task.Delay(n % 60, token);
            return Real(n);
        }).WithTimeout(TimeSpan.FromMilliseconds(40)).WithFallback(static (int n) => Spare(n))) { Weight = 2 },

        new("bulkhead", ["200", Full, Waited], [], static (app, path) => app.MapGet(path, static async (int n, CancellationToken token) =>
        {
            await Task.Delay(n % 100, token);
            return Real(n);
        }).WithBulkhead("narrow")) { Weight = 4 },
        new("bulkhead-fallback", ["200", "200 delegate"], [Full, Waited, TimedOut], static (app, path) => app.MapGet(path, static async (int n, CancellationToken token) =>
        {
            await Task.Delay(n % 40, token);
            return Real(n);
        }).WithBulkhead("newest").WithTimeout(TimeSpan.FromMilliseconds(30)).WithFallback(static (int n) => Spare(n))) { Weight = 3 },
        new("circuit", ["200", Thrown, Open], [], static (app, path) => app.MapGet(path, static async Task<string> (int n) =>
        {
            await Task.Yield();
            return Fails() ? throw new SoakException("now and then") : Real(n);
        }).WithCircuitBreaker("flaky")) { Weight = 2 },
        new("forever", [], [Full, Waited], static (app, path) => app.MapGet(path, static (HttpContext context) => context.UntilCallerLeavesAsync()).WithBulkhead("newest")) { IsLeft = true },

        new("shed", ["200", Shed], [], static (app, path) => app.MapGet(path, static (int n) => Real(n)).WithCriticality(Criticality.Sheddable)) { Weight = 3 },
        new("tenants", ["200"], [Full, OverShare, Waited], static (app, path) => app.MapGet(path, static async (int n, CancellationToken token) =>
        {
            await Task.Delay(n % 30, token);
            return Real(n);
        }).WithBulkhead("tenants")) { Weight = 4 },
        new("flooding-tenant", ["200"], [Full, OverShare, Waited], static (app, path) => app.MapGet(path, static async (int n, CancellationToken token) =>
        {
            await Task.Delay(n % 30, token);
            return Real(n);
        }).WithBulkhead("tenants")) { Keys = 1, Weight = 4 },
        new("learned", ["200"], [Full, Thrown], static (app, path) => app.MapGet(path, static async Task<string> (int n, CancellationToken token) =>
        {
            await Task.Delay(n % 10, token);
            return n % 50 == 0 ? throw new SoakException("now and then") : Real(n);
        }).WithBulkhead("learned")) { Weight = 3 },
        new("keyed", ["200", Thrown], [Open], static (app, path) => app.MapGet(path, static async Task<string> (int n) =>
        {
            await Task.Yield();
            return Fails() ? throw new SoakException("now and then") : Real(n);
        }).WithCircuitBreaker("keyed")) { Keys = 5_000, Weight = 2 },
        new("crowd", ["200", Thrown], [Open], static (app, path) => app.MapGet(path, static async Task<string> (int n) =>
        {
            await Task.Yield();
            return Fails() ? throw new SoakException("now and then") : Real(n);
        }).WithCircuitBreaker("crowd")) { Weight = 2 },

        new("dependency", ["200", "200 delegate"], [TimedOut, Thrown], static (app, path) => app.MapGet(path, static async (int n, HttpClient dependency, CancellationToken token) =>
        {
            await dependency.GetStringAsync("/stock", token);
            return Real(n);
        }).WithTimeout(TimeSpan.FromMilliseconds(100)).WithFallback(static (int n) => Spare(n))) { Weight = 2 },
    ];

    /// <summary>The client saw its connection or stream end without a whole answer.</summary>
    public const string Cut = "cut";

    /// <summary>The script of <c>dependency</c>'s upstream, over and over.</summary>
    public static ScriptedReply[] Dependency { get; } =
    [
        ScriptedReply.Text("seven").Times(4),
        ScriptedReply.Status(503),
        ScriptedReply.Text("seven").WithDelay(TimeSpan.FromMilliseconds(20)),
        ScriptedReply.Reset(),
        ScriptedReply.Text("seven").InChunks(2, TimeSpan.FromMilliseconds(2)),
        ScriptedReply.Text("seven").TruncatedAfter(3),
        ScriptedReply.Garbage(),
        ScriptedReply.Hang(),
    ];

    /// <summary>The one right answer of an endpoint to request <paramref name="n"/>: whoever gets another has been given somebody else's.</summary>
    public static string Real(int n) => Body("real", n);

    /// <summary>The one right answer of its fallback.</summary>
    public static string Spare(int n) => Body("spare", n);

    // Up to 9 KB, so that bodies span several buffers.
    private static string Body(string kind, int n) =>
        new StringBuilder(kind).Append(' ').Append(n).Append(';').Append((char)('a' + (n % 26)), n % 10 * 1000).ToString();

    private static bool Fails() => Random.Shared.Next(3) == 0;
}

/// <summary>One endpoint, below its name and the number of the request.</summary>
/// <param name="Name">First segment of its path.</param>
/// <param name="Must">Answers that a soak has to see, or it tested something else.</param>
/// <param name="May">Answers that are fine, too. A client that leaves is always.</param>
/// <param name="Map">Maps it.</param>
internal sealed record SoakEndpoint(string Name, string[] Must, string[] May, Action<IEndpointRouteBuilder, string> Map)
{
    public string Pattern => $"/{Name}/{{n:int}}";

    /// <summary>Its share of the load.</summary>
    public int Weight { get; init; } = 1;

    /// <summary>How many different requests there are.</summary>
    public int Keys { get; init; } = 100_000;

    public bool IsPost { get; init; }

    /// <summary>Whether every client leaves before it has an answer.</summary>
    public bool IsLeft { get; init; }
}

/// <summary>What the soak's endpoints throw.</summary>
internal sealed class SoakException(string message) : Exception(message);
