using System.Globalization;
using System.Net.Http.Headers;
using ResilientHost.Degradation;
using ResilientHost.Hosting;
using ResilientHost.Outbound;

namespace ResilientHost.Propagation;

/// <summary>Tells the service that is called what it needs to know of the call: its attempt, and a peer also how much time is left and how much it matters.</summary>
/// <remarks>
/// Stateless and thread-safe, for one request at a time. Called before each attempt; what an earlier attempt was told is replaced. A deadline or a criticality that the application has set itself stays; of attempts,
/// the higher number is told. Where nothing has to be told, nothing is allocated.
/// </remarks>
internal static class OutboundHeaders
{
    private static readonly string[] Numbers = [.. Enumerable.Range(0, InboundHeaders.MaxAttempt + 1).Select(number => number.ToString(CultureInfo.InvariantCulture))];

    /// <summary>Whether an attempt has anything to tell.</summary>
    public static bool HasToSay(InboundCall? inbound, HttpClientPolicy policy, int attempt) => policy.IsPeer || attempt > 1 || inbound is { Attempt: > 1 };

    /// <summary>Writes the headers of one attempt.</summary>
    /// <param name="request">The request as it will be sent.</param>
    /// <param name="inbound">The request that is being served; <see langword="null"/> outside of one.</param>
    /// <param name="policy">The client's.</param>
    /// <param name="resilience">What this request asks for itself.</param>
    /// <param name="now">The clock's timestamp.</param>
    /// <param name="clock">The host's.</param>
    /// <param name="attempt">Which attempt at this call it is, from 1.</param>
    /// <param name="own">What the application has set itself.</param>
    /// <param name="ends">When the call itself has to be over, as a timestamp: a peer need not work beyond it.</param>
    public static void Write(
        HttpRequestMessage request, InboundCall? inbound, HttpClientPolicy policy, RequestResilience? resilience, long now, MonotonicClock clock, int attempt, OwnHeaders own, long ends = long.MaxValue)
    {
        var number = Math.Clamp(Math.Max(attempt, inbound?.Attempt ?? 1), 1, InboundHeaders.MaxAttempt);
        if (number > 1 || policy.IsPeer)
        {
            WriteAttempt(request.Headers, number);
        }

        if (!policy.IsPeer)
        {
            return;
        }

        if (!own.HasDeadline && inbound is { Deadline: < long.MaxValue and var deadline })
        {
            Set(request.Headers, PropagationHeaders.Deadline, Milliseconds(clock.Elapsed(now, Math.Min(deadline, ends))));
        }

        if (!own.HasCriticality && CriticalityOf(inbound, resilience) is { } criticality)
        {
            Set(request.Headers, PropagationHeaders.Criticality, DegradationNames.Of(criticality));
        }
    }

    // What nobody has said is not told: "default" would lower a peer's endpoint that calls itself critical.
    private static Criticality? CriticalityOf(InboundCall? inbound, RequestResilience? resilience) =>
        resilience?.Criticality ?? (inbound is { Criticality: not Criticality.Default and var said } ? said : null);

    private static string Milliseconds(TimeSpan left) =>
        ((long)Math.Min(left.TotalMilliseconds, InboundHeaders.MaxDeadline.TotalMilliseconds)).ToString(CultureInfo.InvariantCulture);

    // A proxy passes its caller's number on; one that is made again here must not be taken for a first attempt.
    private static void WriteAttempt(HttpRequestHeaders headers, int number)
    {
        if (headers.NonValidated.TryGetValues(PropagationHeaders.Attempt, out var said))
        {
            if (said.Count == 1 && InboundHeaders.ParseAttempt(said.ToString()) is { } known && known >= number)
            {
                return;
            }

            headers.Remove(PropagationHeaders.Attempt);
        }

        headers.TryAddWithoutValidation(PropagationHeaders.Attempt, Numbers[number]);
    }

    private static void Set(HttpRequestHeaders headers, string name, string value)
    {
        headers.Remove(name);
        headers.TryAddWithoutValidation(name, value);
    }
}
