using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;

namespace FailureDrill.Load;

/// <summary>Customers on real connections; a request that fails is an answer too, never an exception.</summary>
internal sealed class Customers : IDisposable
{
    private readonly HttpClient _http;

    public Customers(Uri address, TimeSpan? patience = null, int connections = int.MaxValue, Version? version = null)
    {
        Patience = patience ?? TimeSpan.FromSeconds(2.5);
        _http = new HttpClient(new SocketsHttpHandler
        {
            UseProxy = false,
            PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
            MaxConnectionsPerServer = connections,
        })
        {
            BaseAddress = address,
            Timeout = Timeout.InfiniteTimeSpan,
            DefaultRequestVersion = version ?? HttpVersion.Version11,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
    }

    /// <summary>How long a customer waits for an answer.</summary>
    public TimeSpan Patience { get; }

    /// <summary>The name of an answer that did not come within <see cref="Patience"/>.</summary>
    public string WhenPatienceEnds { get; init; } = "timed out";

    public async Task<Answer> SendAsync(Request request, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(Patience);
        var started = Stopwatch.GetTimestamp();
        try
        {
            using var message = Write(request);
            using var response = await _http.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, patience.Token);
            var body = await response.Content.ReadAsStringAsync(patience.Token);
            var elapsed = Stopwatch.GetElapsedTime(started);
            return Describe(request, response, body, elapsed);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new Answer(0, WhenPatienceEnds, Stopwatch.GetElapsedTime(started)) { Request = request };
        }
        catch (Exception exception) when (exception is HttpRequestException or SocketException)
        {
            // A connection that is reset at the very moment it is made comes as a bare SocketException.
            return new Answer(0, "aborted", Stopwatch.GetElapsedTime(started)) { Request = request };
        }
    }

    public void Dispose() => _http.Dispose();

    private HttpRequestMessage Write(Request request)
    {
        var message = new HttpRequestMessage(request.Method, request.Path) { Version = _http.DefaultRequestVersion, VersionPolicy = _http.DefaultVersionPolicy };
        if (request.Json is not null)
        {
            message.Content = new StringContent(request.Json, Encoding.UTF8, "application/json");
        }

        if (request.Customer is not null)
        {
            message.Headers.Authorization = new AuthenticationHeaderValue("Bearer", request.Customer);
        }

        if (request.Tenant is not null)
        {
            message.Headers.Add("X-Tenant", request.Tenant);
        }

        return message;
    }

    private static Answer Describe(Request request, HttpResponseMessage response, string body, TimeSpan elapsed) => new((int)response.StatusCode, null, elapsed, body)
    {
        Request = request,
        Problem = Problem.Parse(response.Content.Headers.ContentType?.MediaType, body),
        HasRetryAfter = response.Headers.RetryAfter is not null,
        Fallback = response.Headers.TryGetValues("Resilience-Fallback", out var kinds) ? string.Join(", ", kinds) : null,
        Age = response.Headers.Age,
        IsNoStore = response.Headers.CacheControl?.NoStore is true,
    };
}
