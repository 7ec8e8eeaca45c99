using ResilientHost.Hosting;

namespace ResilientHost.Outbound;

/// <summary>Reads <c>Retry-After</c>, in seconds or as a date (RFC 9110, 10.2.3).</summary>
internal static class RetryAfter
{
    private const string HeaderName = "Retry-After";

    // The most that the framework's own reading comes to.
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(int.MaxValue);

    /// <summary>The wait that is asked for; <see langword="null"/> for none, or one that cannot be read or is over.</summary>
    public static TimeSpan? Read(HttpResponseMessage response, MonotonicClock clock)
    {
        var wait = response.Headers.RetryAfter switch
        {
            { Delta: { } delta } => delta,
            { Date: { } date } => date - clock.UtcNow,
            _ => IsBeyondNumbers(response) ? Longest : TimeSpan.Zero,
        };
        return wait > TimeSpan.Zero ? wait : null;
    }

    // Seconds that the framework has no number for are a long time, and not nothing.
    private static bool IsBeyondNumbers(HttpResponseMessage response) =>
        response.Headers.NonValidated.TryGetValues(HeaderName, out var said)
        && said.Count == 1
        && said.ToString() is { Length: > 0 and <= 100 } text
        && text.All(char.IsAsciiDigit);
}
