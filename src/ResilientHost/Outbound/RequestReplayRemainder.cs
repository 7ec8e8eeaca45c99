using System.Net;

namespace ResilientHost.Outbound;

/// <summary>A body that was too long to be kept: what had been read of it, then the rest as it comes. Can be sent once.</summary>
internal sealed class RequestReplayRemainder(RequestReplayBuffer kept, Task reading, RequestReplayReader reader, long? length) : HttpContent
{
    private int _isSent;

    /// <summary>The call is over: ends the reading where nothing asked for it.</summary>
    public void Release()
    {
        if (Interlocked.Exchange(ref _isSent, 1) == 0)
        {
            reader.Cancel();
        }
        else
        {
            reader.Unbind();
        }
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        if (Interlocked.Exchange(ref _isSent, 1) != 0)
        {
            throw new InvalidOperationException("The body of this request was too large to be kept, and has been sent already.");
        }

        using var registration = cancellationToken.UnsafeRegister(static reader => ((RequestReplayReader)reader!).Cancel(), reader);
        try
        {
            await kept.SendToAsync(stream, cancellationToken);
            await reading.WaitAsync(cancellationToken);
        }
        catch
        {
            // The rest has nowhere to go.
            reader.Cancel();
            throw;
        }
    }

    protected override void SerializeToStream(Stream stream, TransportContext? context, CancellationToken cancellationToken) =>
        SerializeToStreamAsync(stream, context, cancellationToken).GetAwaiter().GetResult();

    protected override bool TryComputeLength(out long computed)
    {
        computed = length ?? 0;
        return length is not null;
    }
}
