using ResilientHost.Hosting;

namespace ResilientHost.Outbound;

/// <summary>Reads <c>Retry-After</c>, in seconds or as a date (RFC 9110, 10.2.3).</summary>
internal static class RetryAfter
{
    /// <summary>The wait that is asked for; <see langword="null"/> for none, or one that cannot be read, is over, or is longer than numbers go.</summary>
    public static TimeSpan? Read(HttpResponseMessage response, MonotonicClock clock)
    {
        var wait = response.Headers.RetryAfter switch
        {
            { Delta: { } delta } => delta,
            { Date: { } date } => date - clock.UtcNow,
            _ => TimeSpan.Zero,
        };
        return wait > TimeSpan.Zero ? wait : null;
    }
}
