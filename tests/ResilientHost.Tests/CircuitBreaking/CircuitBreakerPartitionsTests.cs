namespace ResilientHost.Tests.CircuitBreaking;

public sealed class CircuitBreakerPartitionsTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly ManualTimeProvider _time = new();

    [Fact]
    public void Get_SameKey_IsTheSameBreakerUnderItsKeysName()
    {
        var set = Make(10);
        set.Get("acme").ShouldBeSameAs(set.Get("acme"));
        set.Get("acme").ShouldNotBeSameAs(set.Get("globex"));
        (set.Name, set.Get("acme").Name).ShouldBe(("tenants", "tenants[acme]"));
    }

    [Fact]
    public void Get_NoIdlePartition_SharesTheOther()
    {
        var set = Make(2);
        Call(set.Get("a"), CallOutcome.Succeeded);
        Call(set.Get("b"), CallOutcome.Succeeded);
        set.Get("c").Name.ShouldBe("tenants[other]");
        set.Get("c").ShouldBeSameAs(set.Get("d"));
        set.Count.ShouldBe(2);
    }

    [Fact]
    public void Get_PartitionAskedForSinceTheLastLook_IsSpared()
    {
        var set = Make(1);
        var first = set.Get("a");
        set.Get("b").Name.ShouldBe("tenants[other]");
        set.Get("a").ShouldBeSameAs(first);
        set.Get("b").Name.ShouldBe("tenants[other]");
        set.Get("b").Name.ShouldBe("tenants[b]");
    }

    [Fact]
    public void Get_WindowExpired_TakesTheIdlePlace()
    {
        var set = Make(2);
        Call(set.Get("a"), CallOutcome.Failed);
        Call(set.Get("b"), CallOutcome.Failed);
        set.Get("c").Name.ShouldBe("tenants[other]");
        set.Get("c").Name.ShouldBe("tenants[other]");
        _time.Advance(TimeSpan.FromSeconds(30));
        set.Get("c").Name.ShouldBe("tenants[c]");
        set.Count.ShouldBe(2);
    }

    [Fact]
    public void Get_CountWindowUnusedForSamplingDuration_IsIdle()
    {
        var set = Make(1, o => o.WindowSize = 50);
        Call(set.Get("a"), CallOutcome.Failed);
        set.Get("b").Name.ShouldBe("tenants[other]");
        _time.Advance(TimeSpan.FromSeconds(29));
        set.Get("b").Name.ShouldBe("tenants[other]");
        _time.Advance(TimeSpan.FromSeconds(1));
        set.Get("b").Name.ShouldBe("tenants[b]");
    }

    [Fact]
    public void Get_AMillionKeys_StaysBoundedAndKeepsWhatIsNotClosed()
    {
        var set = Make(100, o => o.BreakDuration = o.MaxBreakDuration = TimeSpan.FromHours(1));
        var open = set.Get("open");
        open.ForceOpen();
        var isolated = set.Get("isolated");
        isolated.Isolate();
        var own = 0;
        for (var i = 0; i < 1_000_000; i++)
        {
            own += set.Get("key" + i).Name != "tenants[other]" ? 1 : 0;
            if (i % 1000 == 0)
            {
                set.Count.ShouldBeLessThanOrEqualTo(100);
            }
        }

        own.ShouldBeGreaterThan(100_000, "unused partitions make room");
        set.Get("open").ShouldBeSameAs(open);
        set.Get("isolated").ShouldBeSameAs(isolated);
        set.Count.ShouldBe(100);
    }

    [Fact]
    public void Get_ManyThreads_OneBreakerForEachKeyWithinTheBound()
    {
        var set = Make(500);
        var seen = new System.Collections.Concurrent.ConcurrentDictionary<string, CircuitBreaker>();
        Parallel.For(0, 8, new ParallelOptions { MaxDegreeOfParallelism = 8 }, _ =>
        {
            for (var i = 0; i < 500; i++)
            {
                var breaker = set.Get("key" + i);
                seen.GetOrAdd("key" + i, breaker).ShouldBeSameAs(breaker);
            }
        });
        set.Count.ShouldBe(500);
    }

    [Fact]
    public async Task Get_WhileAnotherSearches_SharesTheOtherAndWaitsForNobody()
    {
        var time = new HeldUpTime();
        var set = new CircuitBreakerPartitions<string>("tenants", new CircuitBreakerOptions { MaxPartitions = 1 }, time);
        var own = set.Get("a");
        CircuitBreaker? found = null;
        var searching = time.HoldUp(() => found = set.Get("searching"));

        var (b, a) = await Task.Run(() => (set.Get("b"), set.Get("a"))).WaitAsync(Patience);
        b.Name.ShouldBe("tenants[other]");
        a.ShouldBeSameAs(own);

        time.LetGo();
        searching.Join(Patience).ShouldBeTrue();
        found!.Name.ShouldBe("tenants[other]", "a has been asked for");
        set.Get("b").Name.ShouldBe("tenants[b]");
    }

    [Fact]
    public void Get_WhileAnotherIsAddedAndThereAreMorePlaces_WaitsAndHasItsOwn()
    {
        var time = new HeldUpTime();
        var set = new CircuitBreakerPartitions<string>("tenants", new CircuitBreakerOptions { MaxPartitions = 2 }, time);
        var adding = time.HoldUp(() => set.Get("adding"));
        CircuitBreaker? found = null;
        Thread waiting = new(() => found = set.Get("b")) { IsBackground = true };
        waiting.Start();
        HeldUpTime.AwaitWaiting(waiting);

        time.LetGo();
        adding.Join(Patience).ShouldBeTrue();
        waiting.Join(Patience).ShouldBeTrue();
        (found!.Name, set.Count).ShouldBe(("tenants[b]", 2));
    }

    [Fact]
    public void Get_ManyThreadsAndMoreKeysThanPlaces_IsTheKeysOwnOrTheOther()
    {
        const int Places = 8;
        var set = Make(Places);
        Parallel.For(0, 8, new ParallelOptions { MaxDegreeOfParallelism = 8 }, thread =>
        {
            Random random = new(thread);
            for (var i = 0; i < 20_000; i++)
            {
                var key = $"key{random.Next(3 * Places)}";
                set.Get(key).Name.ShouldBeOneOf($"tenants[{key}]", "tenants[other]");
            }
        });

        set.Count.ShouldBe(Places);
        set.Get("late").Name.ShouldBeOneOf("tenants[late]", "tenants[other]");
    }

    [Fact]
    public void Apply_OtherOptions_ReachEveryPartition()
    {
        var set = Make(1);
        var own = set.Get("a");
        var other = set.Get("b");
        set.Apply(new CircuitBreakerOptions { Mode = CircuitMode.ForcedOpen, MaxPartitions = 2 });
        (own.State, other.State).ShouldBe((CircuitState.Open, CircuitState.Open));
        set.Get("c").State.ShouldBe(CircuitState.Open);
    }

    private CircuitBreakerPartitions<string> Make(int most, Action<CircuitBreakerOptions>? change = null)
    {
        var options = new CircuitBreakerOptions { MaxPartitions = most };
        change?.Invoke(options);
        return new CircuitBreakerPartitions<string>("tenants", options, _time);
    }

    private static void Call(CircuitBreaker breaker, CallOutcome outcome)
    {
        breaker.TryEnter(out var permit, out _).ShouldBeTrue();
        breaker.Exit(permit, outcome);
    }
}
