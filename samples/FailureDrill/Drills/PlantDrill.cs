using System.Diagnostics;
using FailureDrill.Load;
using FailureDrill.Plants;
using FailureDrill.Plants.Service;

namespace FailureDrill.Drills;

/// <summary>A drill of the plant, one of whose workers breaks, or whose process ends.</summary>
internal abstract class PlantDrill : Drill<Plant>
{
    // What takes milliseconds where it is still there, and does not come by waiting where it is not.
    private static readonly TimeSpan PackLimit = TimeSpan.FromSeconds(3);

    /// <summary>After so long the process ends, or is asked to.</summary>
    protected static readonly TimeSpan Rush = TimeSpan.FromSeconds(1.2);

    /// <summary>For so long at most orders come: until those who order have noticed.</summary>
    protected static readonly TimeSpan LongestRush = TimeSpan.FromSeconds(8);

    protected sealed override Task<Plant> StartAsync(bool layers, CancellationToken cancellationToken) => Plant.StartAsync(layers, cancellationToken);

    /// <summary>
    /// Measures the neighbours while all is calm, then breaks something, and lets customers leave <paramref name="orders"/>, one
    /// after the other, while it measures the neighbours and the workers beside.
    /// </summary>
    /// <returns>What those who ordered were told.</returns>
    protected static async Task<LoadResult> AttackAsync(
        Plant plant, Findings findings, Func<Task> breakIt, IReadOnlyList<Request> orders, TimeSpan duration, CancellationToken cancellationToken)
    {
        using var customers = new Customers(plant.Address);
        using var callers = new Customers(plant.Address);
        var neighbourhood = new LoadPlan([PlantRequests.Quotes], PerSecond: 60);
        var calm = await LoadGenerator.RunAsync(customers, neighbourhood, TimeSpan.FromSeconds(0.3), cancellationToken);
        var before = await plant.Control.ReadAsync(cancellationToken);

        await breakIt();
        var neighbours = LoadGenerator.RunAsync(customers, neighbourhood, duration, cancellationToken);
        var ordering = LoadGenerator.RunAsync(callers, new LoadPlan(orders, PerSecond: 40), duration, cancellationToken);
        await Task.WhenAll(neighbours, ordering);

        findings.JudgeNeighbours(calm, await neighbours);
        findings.RecordCallers(await ordering);
        await JudgeSiblingAsync(plant, findings, before, duration, cancellationToken);
        return await ordering;
    }

    /// <summary>Waits until what was accepted is packed or, if it cannot be packed, among the dead letters.</summary>
    protected static async Task JudgeOrdersAsync(Plant plant, Findings findings, LoadResult ordered, CancellationToken cancellationToken)
    {
        var accepted = ordered.Where(answer => answer.Status == 202).Answers.Select(answer => PlantRequests.OrderOf(answer.Request)).ToList();
        var book = await plant.ReadOrdersAsync(cancellationToken);
        var lastPacked = Stopwatch.GetTimestamp();

        // Nobody works on them where nobody lives.
        while (book.Missing(accepted).Count > 0 && plant.IsAlive && Stopwatch.GetElapsedTime(lastPacked) < PackLimit)
        {
            var done = book.Packed.Count + book.Dead.Count;
            await Task.Delay(TimeSpan.FromMilliseconds(100), cancellationToken);
            book = await plant.ReadOrdersAsync(cancellationToken);
            lastPacked = book.Packed.Count + book.Dead.Count > done ? Stopwatch.GetTimestamp() : lastPacked;
        }

        var missing = book.Missing(accepted);
        var poison = ordered.Answers.Select(answer => PlantRequests.OrderOf(answer.Request)).Where(order => order.IsPoison).Select(order => order.Id);
        var strangers = book.Dead.Except(poison, StringComparer.Ordinal).Count();
        findings.Measure("accepted", accepted.Count);
        findings.Measure("packed", book.Packed.Distinct(StringComparer.Ordinal).Count());
        findings.Measure("packedTwice", book.Packed.Count - book.Packed.Distinct(StringComparer.Ordinal).Count());
        findings.Measure("deadLetters", book.Dead.Count);
        findings.Measure("lost", missing.Count);
        findings.Expect(Whom.Callers, "can order", accepted.Count > 0, "nothing was accepted");
        findings.Expect(Whom.Callers, "who were told 202 have their order packed, or a dead letter says why not", missing.Count == 0, $"{missing.Count} of {accepted.Count} are gone");
        findings.Expect(Whom.Callers, "have only what cannot be packed among the dead letters", strangers == 0, $"{strangers} others are");
    }

    /// <summary>Leaves more orders than the plant can pack, as long as the condition holds.</summary>
    protected static Task<LoadResult> OrderAsync(Customers callers, int perSecond, Func<TimeSpan, bool> goOn, CancellationToken cancellationToken) =>
        LoadGenerator.RunWhileAsync(callers, new LoadPlan(PlantRequests.Orders((int)(perSecond * LongestRush.TotalSeconds) + 1), perSecond), goOn, cancellationToken);

    /// <summary>The process has ended with orders waiting: starts another one, and judges what becomes of them.</summary>
    protected static async Task JudgeBacklogAsync(Plant plant, Findings findings, LoadResult ordered, CancellationToken cancellationToken)
    {
        var done = (await plant.ReadOrdersAsync(cancellationToken)).Packed.Count;
        findings.Measure("packedBeforeTheEnd", done);
        findings.Expect(Whom.Callers, "have orders waiting when the process ends", done < ordered.CountOf("202"), "all were packed");
        await plant.StartAgainAsync(cancellationToken);
        await JudgeOrdersAsync(plant, findings, ordered, cancellationToken);
    }

    private static async Task JudgeSiblingAsync(Plant plant, Findings findings, PlantState before, TimeSpan duration, CancellationToken cancellationToken)
    {
        // A fifth of what it does on an idle machine.
        var least = (long)(duration.TotalMilliseconds / 20 / 5);
        var done = plant.IsAlive ? (await plant.Control.ReadAsync(cancellationToken)).Measured - before.Measured : 0;
        findings.Measure("siblingPasses", done);
        findings.Expect(Whom.Workers, "beside it go on", done >= least, plant.IsAlive ? $"{done} passes, of {duration.TotalMilliseconds / 20:F0}" : "they ended with the process");
    }
}
