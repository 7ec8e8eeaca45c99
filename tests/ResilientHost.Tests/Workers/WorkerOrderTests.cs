using ResilientHost.Workers;

namespace ResilientHost.Tests.Workers;

public sealed class WorkerOrderTests
{
    [Fact]
    public void Names_NothingDepends_AreAsRegistered() => Order("c", "a", "b").Names.ShouldBe(["c", "a", "b"]);

    [Fact]
    public void Names_SomeDepend_ComeRightAfterWhatTheyNeedAndOtherwiseAsRegistered() =>
        Order("web: store, CACHE", "other", "cache: store", "store").Names.ShouldBe(["store", "cache", "web", "other"]);

    [Fact]
    public void StartAndStopBefore_AreTransitiveAndInOrder()
    {
        var order = Order("web: cache", "mail: store", "cache: store", "store", "alone");

        order.StartBefore("web").ShouldBe(["store", "cache"]);
        order.StopBefore("store").ShouldBe(["mail", "web", "cache"]);
        order.StartBefore("store").ShouldBeEmpty();
        order.StopBefore("alone").ShouldBeEmpty();
        order.StartBefore("unheard of").ShouldBeEmpty();
    }

    [Fact]
    public void Errors_Cycle_NamesTheWholePathOnce()
    {
        var order = Order("start: a", "a: b", "b: c", "c: a");

        order.Errors.ShouldBe(["Worker 'a': DependsOn leads back to itself: a → b → c → a."]);
        order.Names.Count.ShouldBe(4);
    }

    [Fact]
    public void Errors_DependsOnItself_IsACycle() =>
        Order("a: A").Errors.ShouldBe(["Worker 'a': DependsOn leads back to itself: a → a."]);

    [Fact]
    public void Errors_UnknownName_SaysWhichThereAre() =>
        Order("a: x", "b").Errors.ShouldBe(["Worker 'a': DependsOn must name workers that AddResilientWorker registered, but 'x' is none. There are: a, b."]);

    [Fact]
    public void Errors_Diamond_IsNone() => Order("a: b, c", "b: d", "c: d", "d").Errors.ShouldBeEmpty();

    [Fact]
    public void Names_AThousandInAChain_AreOrdered()
    {
        var order = Order([.. Enumerable.Range(0, 1000).Select(number => number == 999 ? "w999" : $"w{number}: w{number + 1}")]);

        order.Errors.ShouldBeEmpty();
        order.Names[0].ShouldBe("w999");
        order.StartBefore("w0").Count.ShouldBe(999);
    }

    private static WorkerOrder Order(params string[] workers) => new(workers.Select(worker =>
    {
        var parts = worker.Split(':', StringSplitOptions.TrimEntries);
        return (parts[0], (IReadOnlyList<string>)(parts.Length > 1 ? parts[1].Split(',', StringSplitOptions.TrimEntries) : []));
    }));
}
