namespace ResilientHost.IntegrationTests.Contract;

/// <summary>An upstream in memory, where what counts is not on the wire.</summary>
internal sealed class Stub(Func<HttpRequestMessage, HttpResponseMessage> answer) : DelegatingHandler
{
    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) => Task.FromResult(answer(request));
}

/// <summary>Counts its disposals.</summary>
internal sealed class TrackedResponse(HttpStatusCode status) : HttpResponseMessage(status)
{
    public int Disposals { get; private set; }

    protected override void Dispose(bool disposing)
    {
        Disposals++;
        base.Dispose(disposing);
    }
}

/// <summary>Can be written once, and does not know its length.</summary>
internal sealed class OnceContent(byte[] body) : HttpContent
{
    private int _written;

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        Interlocked.Exchange(ref _written, 1) == 0 ? stream.WriteAsync(body).AsTask() : throw new InvalidOperationException("The stream was already consumed.");

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }
}

/// <summary>As long as asked, of unknown length, in blocks.</summary>
internal sealed class EndlessContent(long length, Action onBlock) : HttpContent
{
    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
    {
        var block = new byte[1 << 20];
        for (var sent = 0L; sent < length; sent += block.Length)
        {
            onBlock();
            await stream.WriteAsync(block);
        }
    }

    protected override bool TryComputeLength(out long computed)
    {
        computed = 0;
        return false;
    }
}
