using System.Net;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace ResilientHost.Testing;

/// <summary>An upstream service for tests that misbehaves on cue: a real Kestrel listener on loopback that plays a script for each route.</summary>
/// <remarks>
/// <para>
/// Thread-safe. Listens on a free port from <see cref="StartAsync"/> until it is disposed, which ends every connection at once. Several can run in one process. It
/// reads no configuration, makes no log, and no request activities or hosting metrics that a test of the real host would pick up.
/// </para>
/// <para>
/// A request is read to the end of its body, takes the next step of its route's script, is recorded, and is then answered. A request that no script takes
/// is answered with a 501 whose text lists the routes and which has the header <c>Scripted-Server: unmatched</c>.
/// </para>
/// </remarks>
public sealed class ScriptedServer : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly ScriptedServerOptions _options;
    private readonly RecordBuffer<ScriptedRequest> _requests;
    private readonly ScriptedListener _listener;
    private volatile ScriptedRoute[] _routes = [];
    private long _requestCount;
    private int _inFlight;

    private ScriptedServer(ScriptedServerOptions options)
    {
        _options = options;
        _requests = new RecordBuffer<ScriptedRequest>(options.MaxRecordedRequests);
        Default = new ScriptedRoute(this, "*", "*", null);
        _listener = new ScriptedListener(this, options);
    }

    /// <summary>Where the server listens, such as <c>http://127.0.0.1:49152/</c>.</summary>
    public Uri Address => _listener.Address;

    /// <summary>
    /// The certificate, without its key, of the authority that issued the server's; for clients that choose whom to trust. <see langword="null"/> for
    /// plain <c>http</c>. Made for this server alone, in memory; disposed with it.
    /// </summary>
    public X509Certificate2? Authority => _listener.Certificates?.Authority;

    /// <summary>The route for requests that no other takes. It has no script until it gets one.</summary>
    public ScriptedRoute Default { get; }

    /// <summary>The requests still kept, in the order they were recorded, those that no script took included; a copy.</summary>
    public IReadOnlyList<ScriptedRequest> Requests => _requests.ToList();

    /// <summary>Number of requests recorded since the start or the last <see cref="Clear"/>, those no longer kept included.</summary>
    public long RequestCount
    {
        get
        {
            lock (Recording)
            {
                return _requestCount;
            }
        }
    }

    /// <summary>Number of recorded requests that are being answered: delayed, held, or in the middle of their answer.</summary>
    public int InFlight => Volatile.Read(ref _inFlight);

    /// <summary>Guards the counts and what is recorded together: who sees a request counted finds it among the requests.</summary>
    internal Lock Recording { get; } = new();

    /// <summary>Starts a server on a free port of <c>127.0.0.1</c>.</summary>
    /// <param name="options">How to listen; defaults when <see langword="null"/>.</param>
    /// <param name="cancellationToken">Ends the start.</param>
    /// <returns>The listening server; dispose it.</returns>
    /// <exception cref="ArgumentException">An option is out of bounds, or options do not go together.</exception>
    public static async Task<ScriptedServer> StartAsync(ScriptedServerOptions? options = null, CancellationToken cancellationToken = default)
    {
        options = options?.Copy() ?? new ScriptedServerOptions();
        options.Validate();
        var server = new ScriptedServer(options);
        try
        {
            await server._listener.StartAsync(cancellationToken);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>The route for a method and a path pattern; made when it is new, the same one every time after.</summary>
    /// <param name="method">The method, such as <c>GET</c>, without regard to case; <c>*</c> for any.</param>
    /// <param name="path">
    /// A pattern of ASP.NET Core without constraints: <c>/stock/7</c>, <c>/stock/{sku}</c> (any one segment), <c>/files/{*rest}</c> (all that follows). Without
    /// regard to case; the query does not matter.
    /// </param>
    /// <returns>The route. Without a script it takes no request.</returns>
    /// <remarks>Of several that match, the more literal pattern takes the request, then the one that names its method, then the older.</remarks>
    /// <exception cref="ArgumentException">Method or pattern are not well-formed.</exception>
    public ScriptedRoute On(string method, string path)
    {
        var template = ScriptedPattern.Parse(method, path);
        lock (_gate)
        {
            foreach (var existing in _routes)
            {
                if (string.Equals(existing.Method, method, StringComparison.OrdinalIgnoreCase) && string.Equals(existing.Path, path, StringComparison.OrdinalIgnoreCase))
                {
                    return existing;
                }
            }

            var route = new ScriptedRoute(this, method.ToUpperInvariant(), path, template);
            _routes = [.. _routes.Append(route).OrderBy(static each => each.Precedence).ThenBy(static each => each.Method == "*")];
            return route;
        }
    }

    /// <summary>Lets the requests recorded so far on any route go on that wait by <see cref="ScriptedReply.WhenReleased"/>.</summary>
    public void Release()
    {
        Default.Release();
        foreach (var route in _routes)
        {
            route.Release();
        }
    }

    /// <summary>Forgets the recorded requests and begins to count anew. Scripts stay where they are.</summary>
    public void Clear()
    {
        lock (Recording)
        {
            _requests.Clear();
            _requestCount = 0;
            Default.ClearCount();
            foreach (var route in _routes)
            {
                route.ClearCount();
            }
        }
    }

    /// <summary>Forgets every script and does what <see cref="Clear"/> does: for a server that several tests share. Requests that are being answered keep their reply.</summary>
    public void Reset()
    {
        Default.Forget();
        foreach (var route in _routes)
        {
            route.Forget();
        }

        Clear();
    }

    /// <summary>Waits until a number of requests was recorded.</summary>
    /// <param name="count">How many, counted since the start or the last <see cref="Clear"/>; at least 1.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The requests that are kept, in the order they were recorded.</returns>
    /// <exception cref="TimeoutException">They did not come within <see cref="ScriptedServerOptions.WaitTimeout"/>.</exception>
    /// <exception cref="OperationCanceledException">The wait was cancelled.</exception>
    public async Task<IReadOnlyList<ScriptedRequest>> WaitForRequestsAsync(int count, CancellationToken cancellationToken = default)
    {
        await WaitAsync(count, () => RequestCount, "", cancellationToken);
        return Requests;
    }

    /// <summary>A handler that trusts <see cref="Authority"/> and nobody else, uses no proxy and keeps no cookies.</summary>
    /// <returns>A new handler; the caller disposes it. It outlives the server.</returns>
    public SocketsHttpHandler CreateHandler()
    {
        var handler = new SocketsHttpHandler { UseProxy = false, UseCookies = false };
        if (Authority is { } authority)
        {
            handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                CustomTrustStore = { X509CertificateLoader.LoadCertificate(authority.RawData) },
                RevocationMode = X509RevocationMode.NoCheck,
            };
        }

        return handler;
    }

    /// <summary>A client with a handler of <see cref="CreateHandler"/>, at <see cref="Address"/>, that speaks the highest version the server speaks.</summary>
    /// <returns>A new client with connections of its own; the caller disposes it.</returns>
    public HttpClient CreateClient() => new(CreateHandler(), disposeHandler: true)
    {
        BaseAddress = Address,
        DefaultRequestVersion = _options.Protocols.HasFlag(HttpProtocols.Http2) ? HttpVersion.Version20 : HttpVersion.Version11,
        DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
    };

    /// <summary>Stops to listen and ends every connection at once, whatever it waits for. What was recorded stays readable.</summary>
    /// <returns>A task that ends when nothing of the server runs any more.</returns>
    public ValueTask DisposeAsync() => _listener.DisposeAsync();

    internal ScriptedTurn Take(string method, string path)
    {
        var routes = _routes;
        foreach (var route in routes)
        {
            if (route.Matches(method, path) && route.TryTake() is { } turn)
            {
                return turn;
            }
        }

        return Default.TryTake() ?? new ScriptedTurn(
            null,
            ScriptedRoute.Unscripted(
                "unmatched",
                $"No script takes {method} {path}. Routes: {(routes.Length == 0 ? "none" : string.Join(", ", (object[])routes))}. Use On(method, path).Replies(…), or Default.Replies(…) for the rest."),
            Task.CompletedTask,
            false);
    }

    internal void Begin(ScriptedRequest request)
    {
        Interlocked.Increment(ref _inFlight);
        lock (Recording)
        {
            _requestCount++;
            request.Route?.Begin();
            _requests.Add(request);
        }
    }

    internal void End(ScriptedRequest request, ScriptedEnd end)
    {
        Interlocked.Decrement(ref _inFlight);
        request.Route?.End();
        request.End(end);
    }

    internal async Task WaitAsync(int count, Func<long> counted, string where, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        try
        {
            await _requests.WaitUntilAsync(_ => counted() >= count, _options.WaitTimeout, cancellationToken);
        }
        catch (TimeoutException error)
        {
            throw new TimeoutException(
                $"{counted()} of {count} requests{where} arrived within {_options.WaitTimeout}. All that arrived: {string.Join(", ", Requests.Take(20))}.", error);
        }
    }
}
