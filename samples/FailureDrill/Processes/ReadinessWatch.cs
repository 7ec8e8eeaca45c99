using System.Diagnostics;
using FailureDrill.Load;

namespace FailureDrill.Processes;

/// <summary>Asks a service whether it is ready, as a load balancer does that sends it requests until it says no.</summary>
internal sealed class ReadinessWatch(Uri address)
{
    private static readonly Request Ready = new(HttpMethod.Get, "/health/ready");

    /// <summary>What it answered last: <c>503</c>, or how it failed to.</summary>
    public string LastAnswer { get; private set; } = "";

    /// <summary>Whether it said that it is not ready, before it was gone.</summary>
    public bool HasTurned { get; private set; }

    /// <summary>Ends when it says no, does not answer, or the time is up.</summary>
    public async Task WatchAsync(TimeSpan limit, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        using var balancer = new Customers(address);
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        Answer answer;
        do
        {
            await timer.WaitForNextTickAsync(cancellationToken);
            answer = await balancer.SendAsync(Ready, cancellationToken);
        }
        while (answer.Status == 200 && Stopwatch.GetElapsedTime(started) < limit);

        HasTurned = answer.Status == 503;
        LastAnswer = answer.Kind;
    }
}
