using System.Globalization;

namespace ResilientHost.Refusals;

/// <summary>The value of <c>Retry-After</c> in seconds. Thread-safe.</summary>
internal static class RetryAfterText
{
    // The runtime keeps the strings of numbers below; these waits differ from answer to answer, for they have jitter.
    private const int ShortWait = 300;

    private static Known _last = new(0);

    /// <summary>The number in decimal.</summary>
    public static string Of(int seconds)
    {
        if (seconds < ShortWait)
        {
            return seconds.ToString(CultureInfo.InvariantCulture);
        }

        // What refuses at all refuses in storms, and within a second all of them are told the same.
        var last = Volatile.Read(ref _last);
        if (last.Seconds != seconds)
        {
            last = new Known(seconds);
            Volatile.Write(ref _last, last);
        }

        return last.Text;
    }

    private sealed class Known(int seconds)
    {
        public int Seconds { get; } = seconds;

        public string Text { get; } = seconds.ToString(CultureInfo.InvariantCulture);
    }
}
