using ResilientHost.Hosting;

namespace ResilientHost.Outbound;

/// <summary>How long the body of one response may take where the client's own timeout used to say so. Immutable.</summary>
/// <remarks>
/// <see cref="HttpClient.Timeout"/> covers the headers, and bodies that the client reads itself: whole responses, <see cref="HttpClient.GetStringAsync(Uri?)"/>, <see cref="HttpClient.GetByteArrayAsync(Uri?)"/>. It reads
/// those with the token that it sent the request with, which nobody else has; whoever is handed the response reads with another.
/// </remarks>
/// <param name="Clock">The host's clock.</param>
/// <param name="Limit">What the client was given.</param>
/// <param name="Ends">When the limit is over, counted from the call's begin; as a timestamp.</param>
/// <param name="SentWith">The token that the request was sent with.</param>
internal sealed record ResponseBodyTime(MonotonicClock Clock, TimeSpan Limit, long Ends, CancellationToken SentWith)
{
    /// <summary>When the reading of a body has to be over; <see cref="long.MaxValue"/>: it may take as long as it takes.</summary>
    /// <param name="isWhole">Whether it is read into memory or copied as a whole, so that nobody sees what came of it before.</param>
    /// <param name="cancellationToken">What it is read with.</param>
    public long EndOf(bool isWhole, CancellationToken cancellationToken)
    {
        if (cancellationToken.CanBeCanceled && cancellationToken == SentWith)
        {
            return Ends;
        }

        // Whoever had the headers first may come for the body long after.
        return isWhole ? Clock.Timestamp() + Clock.ToTimestampTicks(Limit) : long.MaxValue;
    }
}
