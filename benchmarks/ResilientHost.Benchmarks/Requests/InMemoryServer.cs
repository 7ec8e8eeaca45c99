using System.Collections;
using System.IO.Pipelines;
using System.Security.Claims;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.Features.Authentication;
using Microsoft.AspNetCore.Routing;

namespace ResilientHost.Benchmarks.Requests;

/// <summary>
/// What a server is to the pipeline, without sockets: one object that is every feature, as Kestrel's connections are,
/// used again by each request. Giving out a request and taking it back allocates nothing.
/// </summary>
internal sealed class InMemoryServer :
    IFeatureCollection, IHttpRequestFeature, IHttpResponseFeature, IHttpResponseBodyFeature, IHttpRequestIdentifierFeature, IHttpRequestLifetimeFeature,
    IEndpointFeature, IRouteValuesFeature, IItemsFeature, IServiceProvidersFeature, IHttpAuthenticationFeature,
    IHttpResponseTrailersFeature, IHttpExtendedConnectFeature
{
    private const int MostFeatures = 32;
    private static readonly Type[] Http2Features = [typeof(IHttpResponseTrailersFeature), typeof(IHttpExtendedConnectFeature)];
    private readonly DefaultHttpContext _context = new();
    private readonly ServerHeaders _requestHeaders = new() { ["Host"] = "localhost", ["Accept"] = "application/json", ["User-Agent"] = "benchmark" };
    private readonly ServerHeaders _responseHeaders = new();
    private readonly ServerHeaders _trailers = new();
    private readonly Dictionary<object, object?> _items = [];
    private readonly RouteValueDictionary _routeValues = [];
    private readonly List<(Func<object, Task> Callback, object State)> _starting = [];
    private readonly List<(Func<object, Task> Callback, object State)> _completed = [];
    private readonly Type[] _types = new Type[MostFeatures];
    private readonly object?[] _features = new object?[MostFeatures];
    private readonly ResponseWriter _writer;
    private readonly Stream _body;
    private readonly int _ownFeatures;
    private int _count;

    /// <param name="services">The services of every request.</param>
    /// <param name="isHttp2">Whether its requests come as an HTTP/2 connection's do: another protocol, trailers, streams that might be a tunnel.</param>
    public InMemoryServer(IServiceProvider services, bool isHttp2 = false)
    {
        Protocol = isHttp2 ? "HTTP/2" : "HTTP/1.1";
        _writer = new ResponseWriter(Start);
        _body = _writer.AsStream(leaveOpen: true);
        RequestServices = services;
        foreach (var type in typeof(InMemoryServer).GetInterfaces().Where(type => type.Namespace!.StartsWith("Microsoft.AspNetCore.Http.Features", StringComparison.Ordinal) && type != typeof(IFeatureCollection)))
        {
            if (isHttp2 || !Http2Features.Contains(type))
            {
                this[type] = this;
            }
        }

        _ownFeatures = _count;
    }

    public long BytesWritten => _writer.Written;

    /// <summary>Sets a header of every request.</summary>
    public void SetRequestHeader(string name, string value) => _requestHeaders[name] = value;

    public bool IsReadOnly => false;

    public int Revision { get; private set; }

    public string Protocol { get; set; }

    public string Scheme { get; set; } = "http";

    public string Method { get; set; } = "GET";

    public string PathBase { get; set; } = string.Empty;

    public string Path { get; set; } = "/products/1";

    public string QueryString { get; set; } = string.Empty;

    public string RawTarget { get; set; } = "/products/1";

    IHeaderDictionary IHttpRequestFeature.Headers { get => _requestHeaders; set => throw new NotSupportedException(); }

    Stream IHttpRequestFeature.Body { get; set; } = Stream.Null;

    IHeaderDictionary IHttpResponseTrailersFeature.Trailers { get => _trailers; set => throw new NotSupportedException(); }

    bool IHttpExtendedConnectFeature.IsExtendedConnect => false;

    string? IHttpExtendedConnectFeature.Protocol => null;

    public int StatusCode { get; set; }

    public string? ReasonPhrase { get; set; }

    IHeaderDictionary IHttpResponseFeature.Headers { get => _responseHeaders; set => throw new NotSupportedException(); }

    Stream IHttpResponseFeature.Body { get => _body; set => throw new NotSupportedException(); }

    public bool HasStarted { get; private set; }

    public Stream Stream => _body;

    public PipeWriter Writer => _writer;

    public string TraceIdentifier { get; set; } = "0HN0000000000:00000001";

    public CancellationToken RequestAborted { get; set; }

    public Endpoint? Endpoint { get; set; }

    public RouteValueDictionary RouteValues { get; set; } = [];

    public IDictionary<object, object?> Items { get; set; } = new Dictionary<object, object?>();

    public IServiceProvider RequestServices { get; set; }

    public ClaimsPrincipal? User { get; set; }

    public object? this[Type key]
    {
        get
        {
            var slot = SlotOf(key);
            return slot < 0 ? null : _features[slot];
        }

        set
        {
            Revision++;
            var slot = SlotOf(key);
            if (slot < 0)
            {
                slot = _count++;
                _types[slot] = key;
            }

            _features[slot] = value;
        }
    }

    /// <summary>A request whose endpoint is already known, as it is after routing.</summary>
    public HttpContext Begin(Endpoint endpoint)
    {
        Reset();
        Endpoint = endpoint;
        _context.Initialize(this);
        return _context;
    }

    /// <summary>A request as it comes from the server, for an application that makes its context and finds its endpoint itself.</summary>
    public IFeatureCollection BeginUnrouted()
    {
        Reset();
        Endpoint = null;
        return this;
    }

    /// <summary>The server's part after the pipeline: start what has not started, then what was registered for the end.</summary>
    public void End()
    {
        Start();
        for (var index = _completed.Count - 1; index >= 0; index--)
        {
            _completed[index].Callback(_completed[index].State).GetAwaiter().GetResult();
        }

        _context.Uninitialize();
    }

    public TFeature? Get<TFeature>() => (TFeature?)this[typeof(TFeature)];

    public void Set<TFeature>(TFeature? instance) => this[typeof(TFeature)] = instance;

    public void OnStarting(Func<object, Task> callback, object state) => _starting.Add((callback, state));

    public void OnCompleted(Func<object, Task> callback, object state) => _completed.Add((callback, state));

    public Task StartAsync(CancellationToken cancellationToken = default)
    {
        Start();
        return Task.CompletedTask;
    }

    public Task CompleteAsync()
    {
        Start();
        return Task.CompletedTask;
    }

    public void DisableBuffering()
    {
    }

    public Task SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken = default) => throw new NotSupportedException();

    public ValueTask<Stream> AcceptAsync() => throw new NotSupportedException();

    public void Abort() => throw new InvalidOperationException("No benchmark aborts its request.");

    public IEnumerator<KeyValuePair<Type, object>> GetEnumerator() =>
        _types.Take(_count).Zip(_features, (type, feature) => KeyValuePair.Create(type, feature!)).Where(pair => pair.Value is not null).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private int SlotOf(Type key)
    {
        for (var slot = 0; slot < _count; slot++)
        {
            if (ReferenceEquals(_types[slot], key))
            {
                return slot;
            }
        }

        return -1;
    }

    private void Start()
    {
        if (HasStarted)
        {
            return;
        }

        HasStarted = true;
        for (var index = _starting.Count - 1; index >= 0; index--)
        {
            _starting[index].Callback(_starting[index].State).GetAwaiter().GetResult();
        }
    }

    private void Reset()
    {
        _features.AsSpan(0, _ownFeatures).Fill(this);
        _features.AsSpan(_ownFeatures).Clear();
        _count = _ownFeatures;
        Revision++;
        StatusCode = StatusCodes.Status200OK;
        ReasonPhrase = null;
        HasStarted = false;
        RequestAborted = CancellationToken.None;
        RouteValues = _routeValues;
        Items = _items;
        User = null;
        Path = RawTarget;
        _items.Clear();
        _responseHeaders.Clear();
        _starting.Clear();
        _completed.Clear();
        _writer.Reset();
    }
}
