using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http;
using ResilientHost.Pipeline;

namespace ResilientHost.Tests.Pipeline;

public sealed class PlanTableTests
{
    private readonly PlanTable _table = new();

    [Fact]
    public void Find_EndpointThatWasNotAdded_IsNull()
    {
        _table.Add(PlanOf(Endpoint()));

        _table.Find(Endpoint()).ShouldBeNull();
    }

    [Fact]
    public void Find_ManyEndpoints_GivesEachItsOwnPlan()
    {
        var plans = Enumerable.Range(0, 5000).Select(_ => PlanOf(Endpoint())).ToList();

        plans.ForEach(_table.Add);

        plans.ShouldAllBe(plan => ReferenceEquals(_table.Find(plan.Endpoint!), plan));
    }

    [Fact]
    public void Add_Again_KeepsTheFirst()
    {
        var endpoint = Endpoint();
        var first = PlanOf(endpoint);
        var second = PlanOf(endpoint);

        _table.Add(first);
        _table.Add(second);

        _table.Find(endpoint).ShouldBeSameAs(first);
        GC.KeepAlive(second);
    }

    [Fact]
    public void Add_PlanOfNoEndpoint_ChangesNothing() =>
        Should.NotThrow(() => _table.Add(new EndpointPlan { Key = "GET /", Tag = "GET /" }));

    [Fact]
    public void Add_PlansThatCameAndWent_KeepsNoneAliveAndFindsTheRest()
    {
        var kept = PlanOf(Endpoint());
        _table.Add(kept);

        var gone = AddAndForget(1000);
        GC.Collect();
        GC.WaitForPendingFinalizers();
        var next = Enumerable.Range(0, 1000).Select(_ => PlanOf(Endpoint())).ToList();
        next.ForEach(_table.Add);

        gone.Count(plan => plan.TryGetTarget(out _)).ShouldBe(0);
        _table.Find(kept.Endpoint!).ShouldBeSameAs(kept);
        next.ShouldAllBe(plan => ReferenceEquals(_table.Find(plan.Endpoint!), plan));
    }

    [Fact]
    public async Task Find_WhileOthersAdd_GivesWhatIsThere()
    {
        var known = Enumerable.Range(0, 100).Select(_ => PlanOf(Endpoint())).ToList();
        known.ForEach(_table.Add);
        var further = Enumerable.Range(0, 20_000).Select(_ => PlanOf(Endpoint())).ToList();

        using var started = new Barrier(2);
        var adding = Task.Run(() =>
        {
            started.SignalAndWait(TestContext.Current.CancellationToken);
            further.ForEach(_table.Add);
        });
        var missed = 0;
        started.SignalAndWait(TestContext.Current.CancellationToken);
        do
        {
            missed += known.Count(plan => !ReferenceEquals(_table.Find(plan.Endpoint!), plan));
        }
        while (!adding.IsCompleted);

        await adding;
        missed.ShouldBe(0);
        further.ShouldAllBe(plan => ReferenceEquals(_table.Find(plan.Endpoint!), plan));
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private List<WeakReference<EndpointPlan>> AddAndForget(int count)
    {
        var plans = Enumerable.Range(0, count).Select(_ => PlanOf(Endpoint())).ToList();
        plans.ForEach(_table.Add);
        return plans.ConvertAll(plan => new WeakReference<EndpointPlan>(plan));
    }

    private static Endpoint Endpoint() => new(requestDelegate: null, EndpointMetadataCollection.Empty, displayName: null);

    private static EndpointPlan PlanOf(Endpoint endpoint) => new() { Endpoint = endpoint, Key = "GET /", Tag = "GET /" };
}
