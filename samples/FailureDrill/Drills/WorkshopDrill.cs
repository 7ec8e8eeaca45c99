using FailureDrill.Load;
using FailureDrill.Processes;
using FailureDrill.Workshops;

namespace FailureDrill.Drills;

/// <summary>A drill of the workshop, which is short of something itself.</summary>
internal abstract class WorkshopDrill : Drill<Workshop>
{
    /// <summary>How long customers wait for an answer: what is critical must be answered within that.</summary>
    protected static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    // Changes of the level are told to listeners a little later.
    private static readonly TimeSpan HistoryLimit = TimeSpan.FromSeconds(2);

    /// <summary>How narrow the workshop is made.</summary>
    protected virtual WorkshopLimits Limits { get; } = new();

    protected sealed override Task<Workshop> StartAsync(bool layers, CancellationToken cancellationToken) => Workshop.StartAsync(Limits, layers, cancellationToken);

    /// <summary>Measures orders while all is calm, then lets <paramref name="rush"/> at the workshop while orders go on.</summary>
    /// <returns>What the rush got.</returns>
    protected static async Task<LoadResult> RushAsync(Workshop workshop, Findings findings, Rush rush, CancellationToken cancellationToken)
    {
        using var customers = new Customers(workshop.Address, Patience);
        using var callers = new Customers(workshop.Address, Patience);
        var orders = new LoadPlan([WorkshopRequests.Orders], rush.OrdersPerSecond);
        var calm = await LoadGenerator.RunAsync(customers, orders, TimeSpan.FromSeconds(0.5), cancellationToken);

        var ordering = LoadGenerator.RunAsync(customers, orders, rush.Duration, cancellationToken);
        var rushing = LoadGenerator.RunAsync(callers, new LoadPlan(rush.Requests, rush.PerSecond, MaxInFlight: 1000), rush.Duration, cancellationToken);
        await Task.WhenAll(ordering, rushing);

        findings.JudgeCritical(calm, await ordering);
        findings.RecordCallers(await rushing);
        return await rushing;
    }

    /// <summary>Checks that what can wait was turned down, and said so in a way that its callers can go by.</summary>
    protected static void JudgeShedding(Findings findings, LoadResult rushed)
    {
        var shed = rushed.Where(answer => answer.IsRefusal("shed"));
        findings.Measure("served", rushed.CountOf("200"));
        findings.Measure("shed", shed.Count);
        findings.Measure("shedP99Ms", Math.Round(shed.P99.TotalMilliseconds, 1));
        findings.Expect(Whom.Callers, "of what can wait are told so by 503 shed and Retry-After", shed.Count > 0, "none was");
    }

    /// <summary>Nobody repairs anything: the rush is over, and orders go on. Waits until everything is offered and answered again.</summary>
    protected static async Task JudgeRecoveryAsync(Workshop workshop, Findings findings, Request rushed, CancellationToken cancellationToken)
    {
        using var customers = new Customers(workshop.Address, TimeSpan.FromSeconds(1.5));
        var recovering = findings.JudgeRecoveryAsync(
            async () =>
            {
                if (!workshop.IsAlive)
                {
                    throw new ServiceException($"It ended with exit code {workshop.ExitCode}.");
                }

                // What is critical comes first: the service is not well while it keeps even that waiting.
                return (await customers.SendAsync(WorkshopRequests.Orders, cancellationToken)).IsServed
                    && (await customers.SendAsync(rushed, cancellationToken)).IsServed
                    && (!workshop.HasLayers || (await workshop.Control.ReadStatusAsync(cancellationToken)).IsNormal);
            },
            cancellationToken);
        using var others = new Customers(workshop.Address, Patience);
        var ordering = LoadGenerator.RunWhileAsync(others, new LoadPlan([WorkshopRequests.Orders], PerSecond: 80), _ => !recovering.IsCompleted, cancellationToken);
        await Task.WhenAll(recovering, ordering);

        if (workshop.HasLayers)
        {
            var hasReturned = await workshop.Control.WaitForAsync(state => HasReturned(state.Levels), HistoryLimit, cancellationToken);
            var levels = (await workshop.Control.ReadAsync(cancellationToken)).Levels;
            findings.Measure("levels", levels);
            findings.Expect(Whom.Process, "lowers its service level and raises it again by itself", hasReturned, string.Join(" → ", levels));
        }
    }

    private static bool HasReturned(IEnumerable<string> levels) => levels.SkipWhile(level => level == "Normal").Contains("Normal", StringComparer.Ordinal);
}

/// <summary>Who comes beside those who order.</summary>
/// <param name="Requests">What they ask for, in turn.</param>
/// <param name="PerSecond">How many of them come.</param>
/// <param name="OrdersPerSecond">How many orders come.</param>
/// <param name="Duration">For how long.</param>
internal sealed record Rush(IReadOnlyList<Request> Requests, int PerSecond, int OrdersPerSecond, TimeSpan Duration);
