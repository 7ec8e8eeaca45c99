namespace ResilientHost.Outbound;

/// <summary>What is sent in the place of a request's body.</summary>
/// <param name="Content">To be sent; the caller's own where nothing had to be kept.</param>
/// <param name="IsReplayable">Whether it can be sent more than once.</param>
internal readonly record struct RequestReplayBody(HttpContent? Content, bool IsReplayable)
{
    /// <summary>Whether the body needs no keeping, and what it is then.</summary>
    public static bool TryPrepare(HttpContent? content, int limit, out RequestReplayBody prepared)
    {
        if (content is null)
        {
            prepared = new(null, IsReplayable: true);
            return true;
        }

        if (limit == 0 || content.Headers.ContentLength > limit || IsLive(content))
        {
            prepared = new(content, IsReplayable: false);
            return true;
        }

        // Types that derive from them may do as they like.
        prepared = new(content, IsReplayable: true);
        var type = content.GetType();
        return type == typeof(ByteArrayContent) || type == typeof(StringContent) || type == typeof(FormUrlEncodedContent) || type == typeof(ReadOnlyMemoryContent);
    }

    // A conversation: the other side may have to speak before this body goes on.
    private static bool IsLive(HttpContent content) => content.Headers.ContentType?.MediaType?.StartsWith("application/grpc", StringComparison.OrdinalIgnoreCase) == true;

    /// <summary>Reads the body until it ends or is too long to be kept; what was read by then is sent first.</summary>
    /// <param name="content">The caller's.</param>
    /// <param name="limit">Bytes that may be kept.</param>
    /// <param name="reader">Ends the reading; the body's from here on.</param>
    public static async ValueTask<RequestReplayBody> PrepareAsync(HttpContent content, int limit, RequestReplayReader reader)
    {
        var kept = new RequestReplayBuffer(limit);
        var reading = reader.Begin(content, kept);
        var first = await Task.WhenAny(reading, kept.Parked).WaitAsync(reader.Token);
        if (first == kept.Parked)
        {
            return new(WithHeadersOf(content, new RequestReplayRemainder(kept, reading, reader, content.Headers.ContentLength)), IsReplayable: false);
        }

        await reading;
        return new(WithHeadersOf(content, new ReadOnlyMemoryContent(kept.Kept)), kept.IsWhole);
    }

    private static HttpContent WithHeadersOf(HttpContent original, HttpContent content)
    {
        foreach (var (name, values) in original.Headers.NonValidated)
        {
            if (!string.Equals(name, "Content-Length", StringComparison.OrdinalIgnoreCase))
            {
                content.Headers.TryAddWithoutValidation(name, values);
            }
        }

        return content;
    }
}
