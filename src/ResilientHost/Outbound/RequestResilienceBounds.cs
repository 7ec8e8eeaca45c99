using System.Globalization;

namespace ResilientHost.Outbound;

/// <summary>The bounds of <see cref="RequestResilience"/>.</summary>
internal static class RequestResilienceBounds
{
    private const int MostAttempts = 10;
    private static readonly TimeSpan OneDay = TimeSpan.FromDays(1);

    /// <exception cref="ArgumentOutOfRangeException">A value is out of bounds; names the property.</exception>
    public static void Check(RequestResilience resilience)
    {
        if (resilience.TotalTimeout is { } total && total != Timeout.InfiniteTimeSpan)
        {
            CheckTimeout(resilience, nameof(resilience.TotalTimeout), total, ", or infinite");
        }

        if (resilience.AttemptTimeout is { } attempt)
        {
            CheckTimeout(resilience, nameof(resilience.AttemptTimeout), attempt, "");
        }

        if (resilience.MaxAttempts is < 1 or > MostAttempts)
        {
            throw new ArgumentOutOfRangeException(nameof(resilience), resilience.MaxAttempts, $"{nameof(RequestResilience)}.{nameof(resilience.MaxAttempts)} must be between 1 and {MostAttempts} attempts.");
        }

        if (resilience.Criticality is { } criticality && !Enum.IsDefined(criticality))
        {
            throw new ArgumentOutOfRangeException(nameof(resilience), criticality, $"{nameof(RequestResilience)}.{nameof(resilience.Criticality)} is no {nameof(Criticality)}.");
        }
    }

    private static void CheckTimeout(RequestResilience resilience, string property, TimeSpan value, string alternative)
    {
        if (value <= TimeSpan.Zero || value > OneDay)
        {
            throw new ArgumentOutOfRangeException(
                nameof(resilience), value, string.Create(CultureInfo.InvariantCulture, $"{nameof(RequestResilience)}.{property} must be above zero and at most {OneDay:c} (d.hh:mm:ss){alternative}."));
        }
    }
}
