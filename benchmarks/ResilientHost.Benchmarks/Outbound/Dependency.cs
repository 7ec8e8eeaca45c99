using System.Net;

namespace ResilientHost.Benchmarks.Outbound;

/// <summary>In place of the network: one good answer that is always the same object, at once or after the caller has begun to wait.</summary>
internal sealed class Dependency(bool awaits) : HttpMessageHandler
{
    private readonly Task<HttpResponseMessage> _answer = Task.FromResult(new HttpResponseMessage(HttpStatusCode.OK));
    private TaskCompletionSource<HttpResponseMessage>? _waiting;

    /// <summary>Answers the call that waits, on the calling thread.</summary>
    public void Answer() => _waiting?.SetResult(_answer.Result);

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
        awaits ? (_waiting = new()).Task : _answer;
}
