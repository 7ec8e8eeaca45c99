namespace ResilientHost.Tests.Contract;

public sealed class CircuitBreakerPartitionsContractTests
{
    private readonly ManualTimeProvider _time = new();

    private CircuitBreakerPartitions<string> Make(int max) =>
        new("tenant", new CircuitBreakerOptions { MaxPartitions = max, MinimumThroughput = 1, BreakJitter = 0 }, _time);

    [Fact]
    public void Get_KeysBeyondTheBoundWhileNoneIsIdle_ShareOne()
    {
        var partitions = Make(2);
        partitions.Get("a").Isolate();
        partitions.Get("b").ForceOpen();

        var shared = partitions.Get("c");

        partitions.Get("d").ShouldBeSameAs(shared);
        partitions.Count.ShouldBe(2);
        partitions.Get("a").State.ShouldBe(CircuitState.Isolated);
        partitions.Get("b").State.ShouldBe(CircuitState.Open);
    }

    [Fact]
    public void Get_HalfOpenPartition_IsNeverEvicted()
    {
        var partitions = Make(1);
        var own = partitions.Get("a");
        own.ForceOpen();
        _time.Advance(TimeSpan.FromHours(1));
        for (var i = 0; i < 100; i++)
        {
            partitions.Get($"other {i}");
        }

        partitions.Get("a").ShouldBeSameAs(own);
        own.State.ShouldBe(CircuitState.HalfOpen);
    }

    [Fact]
    public void Get_PartitionWithFailuresInItsWindow_IsNotIdle()
    {
        var partitions = new CircuitBreakerPartitions<string>("tenant", new CircuitBreakerOptions { MaxPartitions = 1 }, _time);
        var own = partitions.Get("a");
        own.TryEnter(out var permit, out _).ShouldBeTrue();
        own.Exit(permit, CallOutcome.Failed);
        for (var i = 0; i < 100; i++)
        {
            partitions.Get($"other {i}");
        }

        partitions.Get("a").ShouldBeSameAs(own);
    }

    [Fact]
    public void Get_OneKeysFailures_DoNotTouchTheOthers()
    {
        var partitions = Make(10);
        var failing = partitions.Get("a");
        failing.TryEnter(out var permit, out _);
        failing.Exit(permit, CallOutcome.Failed).ShouldNotBeNull();

        partitions.Get("b").State.ShouldBe(CircuitState.Closed);
        partitions.Get("a").State.ShouldBe(CircuitState.Open);
    }

    [Fact]
    public void Apply_NewOptions_ReachTheSharedAndLaterPartitionsToo()
    {
        var partitions = Make(1);
        partitions.Get("a").Isolate();
        var shared = partitions.Get("b");
        partitions.Apply(new CircuitBreakerOptions { MaxPartitions = 2, Mode = CircuitMode.Disabled });

        shared.Snapshot().Mode.ShouldBe(CircuitMode.Disabled);
        partitions.Get("a").Snapshot().Mode.ShouldBe(CircuitMode.Disabled);
        partitions.Get("c").Snapshot().Mode.ShouldBe(CircuitMode.Disabled);
        partitions.Count.ShouldBe(2);
    }

    [Fact]
    public void Get_NullKey_Throws() => Should.Throw<ArgumentNullException>(() => Make(1).Get(null!));
}
