using System.Diagnostics;
using System.Text;

namespace FailureDrill.Load;

/// <summary>Customers on real connections; a request that fails is an answer too, never an exception.</summary>
internal sealed class Customers : IDisposable
{
    private readonly HttpClient _http;

    public Customers(Uri address, TimeSpan? patience = null)
    {
        Patience = patience ?? TimeSpan.FromSeconds(2.5);
        _http = new HttpClient(new SocketsHttpHandler { UseProxy = false, PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30) })
        {
            BaseAddress = address,
            Timeout = Timeout.InfiniteTimeSpan,
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
            using var message = new HttpRequestMessage(request.Method, request.Path);
            if (request.Json is not null)
            {
                message.Content = new StringContent(request.Json, Encoding.UTF8, "application/json");
            }

            using var response = await _http.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, patience.Token);
            var body = await response.Content.ReadAsStringAsync(patience.Token);
            var elapsed = Stopwatch.GetElapsedTime(started);
            var status = (int)response.StatusCode;
            if (status == 200)
            {
                return new Answer(status, null, elapsed);
            }

            var type = response.Content.Headers.ContentType?.MediaType;
            return new Answer(status, null, elapsed, type, body, response.Headers.RetryAfter is not null) { Problem = Problem.Parse(type, body) };
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new Answer(0, WhenPatienceEnds, Stopwatch.GetElapsedTime(started));
        }
        catch (HttpRequestException)
        {
            return new Answer(0, "aborted", Stopwatch.GetElapsedTime(started));
        }
    }

    public void Dispose() => _http.Dispose();
}
