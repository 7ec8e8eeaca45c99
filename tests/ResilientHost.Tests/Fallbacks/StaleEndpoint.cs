using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using ResilientHost.Fallbacks;
using ResilientHost.Hosting;
using ResilientHost.Pipeline;
using ResilientHost.Refusals;

namespace ResilientHost.Tests.Fallbacks;

/// <summary>An endpoint with a stale fallback, and the calls that the pipeline makes around it.</summary>
internal sealed class StaleEndpoint : IDisposable
{
    public static readonly TimeSpan MaxAge = TimeSpan.FromSeconds(100);
    private readonly StaleFallback _fallback;

    public StaleEndpoint(
        IStaleResponseStore? store = null, bool requiresAuthorization = false, int maxResponseBytes = 1000, string[]? queryKeys = null, ManualTimeProvider? time = null, LogRecorder? logs = null, string key = "GET /")
    {
        Time = time ?? new ManualTimeProvider();
        Clock = new MonotonicClock(Time);
        Memory = new MemoryStaleResponseStore(Clock, 1_000_000);
        Logs = logs ?? new LogRecorder();
        Responses = new StaleResponses(store ?? Memory, Clock, LoggerFactory.Create(logging => logging.AddProvider(Logs)).CreateLogger<StaleResponses>(), () => maxResponseBytes);
        var metadata = new StaleFallbackMetadata(MaxAge, queryKeys);
        var endpoint = new Endpoint(null, new EndpointMetadataCollection(metadata), key);
        _fallback = new StaleFallback(endpoint, key, metadata, requiresAuthorization, Responses);
    }

    public ManualTimeProvider Time { get; }

    public MonotonicClock Clock { get; }

    public MemoryStaleResponseStore Memory { get; }

    public LogRecorder Logs { get; }

    public StaleResponses Responses { get; }

    public StaleFallback Fallback => _fallback;

    public static HttpContext Request(string query = "", Action<HttpRequest>? with = null, string method = "GET")
    {
        var context = new DefaultHttpContext();
        context.Request.Method = method;
        context.Request.Scheme = "http";
        context.Request.Host = new HostString("shop.example");
        context.Request.Path = "/";
        context.Request.QueryString = new QueryString(query);
        context.Response.Body = new MemoryStream();
        with?.Invoke(context.Request);
        return context;
    }

    /// <summary>The endpoint answers; whether its answer was recorded at all.</summary>
    public bool Answer(HttpContext context, string body = "good", Action<HttpResponse>? with = null, Action<HttpResponse>? atStart = null, bool succeeded = true)
    {
        if (!_fallback.ShouldRecord(context, Clock.Timestamp(), out var asked))
        {
            return false;
        }

        var recording = _fallback.Record(context, asked.GetValueOrDefault());
        with?.Invoke(context.Response);
        recording.OnStarting(context);
        atStart?.Invoke(context.Response);
        foreach (var b in Encoding.UTF8.GetBytes(body))
        {
            recording.OnWrite([b]);
        }

        recording.Complete(succeeded);
        return true;
    }

    /// <summary>What a request is given while the endpoint fails; null: nothing.</summary>
    public async Task<string?> Stale(HttpContext context, CancellationToken cancellationToken = default) =>
        await _fallback.FindAsync(context, cancellationToken) is { } answer ? Encoding.UTF8.GetString(answer.Response.Body.Span) : null;

    public async Task<HttpResponse> Serve(HttpContext context, Action<HttpResponse>? outer = null)
    {
        var baseline = new ResponseBaseline();
        outer?.Invoke(context.Response);
        baseline.Capture(context.Response);
        context.Response.StatusCode = 503;
        context.Response.Headers["X-Failed"] = "1";
        var answer = await _fallback.FindAsync(context, CancellationToken.None);
        await StaleFallback.WriteAsync(context, answer.ShouldNotBeNull(), baseline);
        return context.Response;
    }

    public static string BodyOf(HttpResponse response) => Encoding.UTF8.GetString(((MemoryStream)response.Body).ToArray());

    public void Dispose() => Responses.Dispose();
}
