using System.Net;
using System.Threading.Channels;

namespace ResilientHost.Tests.Outbound;

/// <summary>A transport whose attempts a test answers one by one, in any order, or late.</summary>
internal sealed class HedgingUpstream : HttpMessageHandler
{
    private readonly Channel<HedgingAttempt> _attempts = Channel.CreateUnbounded<HedgingAttempt>();
    private int _received;

    /// <summary>Whether attempts end when they are cancelled.</summary>
    public bool HeedsTokens { get; set; } = true;

    public int Received => Volatile.Read(ref _received);

    public Task<HedgingAttempt> NextAsync() => _attempts.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(20));

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _received);
        var attempt = new HedgingAttempt(request, cancellationToken);
        _attempts.Writer.TryWrite(attempt);
        return HeedsTokens ? attempt.Response.WaitAsync(cancellationToken) : attempt.Response;
    }
}

/// <summary>One attempt as the transport sees it.</summary>
internal sealed class HedgingAttempt(HttpRequestMessage request, CancellationToken token)
{
    private readonly TaskCompletionSource<HttpResponseMessage> _response = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public HttpRequestMessage Request => request;

    public CancellationToken Token => token;

    public Task<HttpResponseMessage> Response => _response.Task;

    public string? Header(string name) => request.Headers.TryGetValues(name, out var values) ? string.Join(',', values) : null;

    public HedgingBody Answer(HttpStatusCode status, TimeSpan? retryAfter = null)
    {
        var body = new HedgingBody();
        var response = new HttpResponseMessage(status) { Content = body };
        response.Headers.RetryAfter = retryAfter is { } wait ? new(wait) : null;
        _response.SetResult(response);
        return body;
    }

    public HedgingBody AnswerLate() => Answer(HttpStatusCode.OK);

    public void Fail(Exception exception) => _response.SetException(exception);
}

/// <summary>A body in memory that tells when it is let go.</summary>
internal sealed class HedgingBody() : ByteArrayContent([])
{
    private readonly TaskCompletionSource _disposed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Task Disposed => _disposed.Task.WaitAsync(TimeSpan.FromSeconds(20));

    protected override void Dispose(bool disposing)
    {
        _disposed.TrySetResult();
        base.Dispose(disposing);
    }
}
