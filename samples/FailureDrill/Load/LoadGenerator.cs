using System.Collections.Concurrent;
using System.Diagnostics;

namespace FailureDrill.Load;

/// <summary>Requests in turn, at a steady rate.</summary>
/// <param name="PerSecond">Requests begun per second, whether or not earlier ones were answered.</param>
/// <param name="MaxInFlight">Bound on unanswered requests; what is due beyond it is not sent.</param>
internal sealed record LoadPlan(IReadOnlyList<Request> Requests, int PerSecond, int MaxInFlight = 600);

/// <summary>
/// Sends at a steady rate: customers keep coming while a shop is slow, and that is what fills it up. A loop that waits for
/// each answer would slow down with the shop and hide it.
/// </summary>
internal static class LoadGenerator
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(10);

    public static Task<LoadResult> RunAsync(Customers customers, LoadPlan plan, TimeSpan duration, CancellationToken cancellationToken) =>
        RunWhileAsync(customers, plan, elapsed => elapsed < duration, cancellationToken);

    /// <summary>Sends as long as the condition holds, then waits for the answers that are due.</summary>
    public static async Task<LoadResult> RunWhileAsync(
        Customers customers, LoadPlan plan, Func<TimeSpan, bool> goOn, CancellationToken cancellationToken)
    {
        var answers = new ConcurrentBag<Answer>();
        var inFlight = new InFlight();
        var sending = new List<Task>();
        var started = Stopwatch.GetTimestamp();
        var due = 0;

        using var timer = new PeriodicTimer(Tick);
        while (goOn(Stopwatch.GetElapsedTime(started)))
        {
            var dueNow = (int)(Stopwatch.GetElapsedTime(started).TotalSeconds * plan.PerSecond);

            // After a pause of this machine the missed requests are not sent all at once: that would be another load.
            due = Math.Max(due, dueNow - (plan.PerSecond / 10));
            for (; due < dueNow; due++)
            {
                if (inFlight.Count < plan.MaxInFlight)
                {
                    sending.Add(SendAsync(customers, plan.Requests[due % plan.Requests.Count], answers, inFlight, cancellationToken));
                }
            }

            await timer.WaitForNextTickAsync(cancellationToken);
        }

        await Task.WhenAll(sending);
        return new LoadResult([.. answers]);
    }

    private static async Task SendAsync(
        Customers customers, Request request, ConcurrentBag<Answer> answers, InFlight inFlight, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref inFlight.Count);
        try
        {
            answers.Add(await customers.SendAsync(request, cancellationToken));
        }
        finally
        {
            Interlocked.Decrement(ref inFlight.Count);
        }
    }

    private sealed class InFlight
    {
        public int Count;
    }
}
