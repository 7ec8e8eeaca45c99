using ResilientHost.Dashboard;
using ResilientHost.Dashboard.Page;
using static ResilientHost.Tests.Dashboard.Page.PageStatus;

namespace ResilientHost.Tests.Dashboard.Page;

public sealed class PageProblemsTests
{
    [Fact]
    public void Of_Calm_IsNothing() => Of(Calm).ShouldBeEmpty();

    [Theory]
    [InlineData(CircuitState.Open, CircuitMode.Enforce, "open", "Open for 1 min 20 s", "Calls are refused at once", "Half-opens when its break is over")]
    [InlineData(CircuitState.HalfOpen, CircuitMode.Enforce, "half", "Half-open for 1 min 20 s", "Only probes get through", "Closes when its probes succeed, opens again when not")]
    [InlineData(CircuitState.Isolated, CircuitMode.Enforce, "isolated", "Isolated for 1 min 20 s", "Calls are refused at once", "Stays so until somebody resets it")]
    [InlineData(CircuitState.Closed, CircuitMode.ForcedOpen, "forced", "Forced open for 1 min 20 s", "Calls are refused at once", "Until its mode is changed")]
    [InlineData(CircuitState.Open, CircuitMode.Shadow, "shadow", "Would be open for 1 min 20 s", "Nothing: it only watches (Shadow)", "Would have refused 0 calls")]
    public void Of_Circuit_SaysWhatItDoes(CircuitState state, CircuitMode mode, string kind, string detail, string protection, string next) =>
        Only(With(Circuit("orders", state, mode))).ShouldSatisfyAllConditions(
            problem => problem.Kind.ShouldBe(kind),
            problem => problem.Detail.ShouldBe(detail),
            problem => problem.Protection.ShouldBe(protection),
            problem => problem.Next.ShouldBe(next));

    [Fact]
    public void Of_DisabledCircuit_IsNothing() => Of(With(Circuit("orders", CircuitState.Open, CircuitMode.Disabled))).ShouldBeEmpty();

    [Theory]
    [InlineData(CircuitMode.Enforce, 3, 3, "open", "100 % of 3 calls failed", "Nothing yet: it is closed")]
    [InlineData(CircuitMode.Enforce, 100, 12, "half", "12 % of 100 calls failed", "Nothing yet: it is closed")]
    [InlineData(CircuitMode.Shadow, 100, 100, "open", "100 % of 100 calls failed", "Nothing: it only watches (Shadow)")]
    [InlineData(CircuitMode.Disabled, 100, 100, "open", "100 % of 100 calls failed", "Nothing: it is disabled")]
    public void Of_ClosedCircuitWhoseCallsFail_IsTold(CircuitMode mode, int calls, int failures, string kind, string detail, string protection) =>
        Only(With(Circuit("orders", CircuitState.Closed, mode, calls, failures))).ShouldSatisfyAllConditions(
            problem => problem.Topic.ShouldBe(PageTopic.Failing),
            problem => problem.Kind.ShouldBe(kind),
            problem => problem.Detail.ShouldBe(detail),
            problem => problem.Protection.ShouldBe(protection));

    [Theory]
    [InlineData(2, 2)]
    [InlineData(100, 5)]
    public void Of_AFewFailures_IsNothing(int calls, int failures) => Of(With(Circuit("orders", calls: calls, failures: failures))).ShouldBeEmpty();

    [Theory]
    [InlineData("orders", null, "Answered by its fallback, 2,512 so far, 3 failed")]
    [InlineData("GET /orders", "orders", "Answered by its fallback, 2,512 so far, 3 failed")]
    [InlineData("GET /orders", null, "Nothing: it only watches (Shadow)")]
    public void Of_CircuitWithAFallback_SaysThatItAnswers(string endpoint, string? circuit, string protection) =>
        Only(With(Circuit("orders", CircuitState.Open, CircuitMode.Shadow)) with { Fallbacks = [new(endpoint, 2500, 12, 3, 0, circuit)] }).Protection.ShouldBe(protection);

    [Theory]
    [InlineData(16, 9, true)]
    [InlineData(16, 0, false)]
    [InlineData(15, 9, false)]
    public void Of_Bulkhead_IsTold_WhenFullAndRefusing(int inFlight, long refused, bool told) =>
        Of(Calm with { Bulkheads = [Bulkhead("orders", inFlight, refused)] }).Select(static problem => $"{problem.What}. {problem.Detail}. {problem.Protection}")
            .ShouldBe(told ? ["Bulkhead orders. Full: 16 in flight. Further calls are refused, 9 so far"] : []);

    [Theory]
    [InlineData(ServiceLevel.Reduced, DegradationMode.Enforce, PageTopic.Shedding, "half", "Sheddable endpoints are turned down")]
    [InlineData(ServiceLevel.Reduced, DegradationMode.Shadow, PageTopic.Level, "half", "Nothing: requests are only counted")]
    [InlineData(ServiceLevel.Survival, DegradationMode.Enforce, PageTopic.Shedding, "open", "Only critical endpoints")]
    public void Of_Level_SaysWhetherRequestsAreTurnedDown(ServiceLevel level, DegradationMode mode, object topic, string kind, string protection) =>
        Only(Calm with { Level = level, Degradation = Calm.Degradation with { Mode = mode }, Signals = [new("cpu", 0.934, 0.9, 0.75, true)] }).ShouldSatisfyAllConditions(
            problem => problem.Topic.ShouldBe(topic),
            problem => problem.Kind.ShouldBe(kind),
            problem => problem.Protection.ShouldBe(protection),
            problem => problem.Detail.ShouldBe("CPU at 93 %"),
            problem => problem.Next.ShouldBe("Falls a step at a time once CPU is at 75 %"));

    [Fact]
    public void Of_LevelSetByHand_SaysUntilWhen() =>
        Only(Calm with { Degradation = Calm.Degradation with { Overridden = true, OverriddenUntil = Now.AddMinutes(10) } }).ShouldSatisfyAllConditions(
            static problem => problem.Kind.ShouldBe("shadow"),
            static problem => problem.Detail.ShouldBe("Set by hand"),
            static problem => problem.Next.ShouldBe("Ends 12:10 UTC, in 10 min"));

    [Theory]
    [InlineData(WorkerState.Failed, "Given up: TimeoutException")]
    [InlineData(WorkerState.Stuck, "Silent for 2 min")]
    [InlineData(WorkerState.BackingOff, "Failed: TimeoutException")]
    [InlineData(WorkerState.Running, null)]
    public void Of_Worker_IsTold_WhenItDoesNotWork(WorkerState state, string? detail) =>
        Of(Calm with { Workers = [Worker(state)] }).Select(static problem => problem.Detail).ShouldBe(detail is null ? [] : [detail]);

    [Fact]
    public void Of_Process_DrainingTaintedAndLeaking_IsTold() =>
        Of(Calm with { IsDraining = true, IsTainted = true, IsolatedTasks = [new("imports", 7, 60, "Importer.Run", IsLeaking: true)] })
            .Select(static problem => $"{problem.What}: {problem.Detail}")
            .ShouldBe(["Instance: Draining", "Tasks imports: 7 tasks left behind and growing", "Process: An exception that nothing caught was contained"]);

    [Fact]
    public void Of_Configuration_RefusedOrSwitchedOff_IsTold() =>
        PageProblems.Of(
                Calm,
                Configuration with
                {
                    LastRefusedAt = Now,
                    LastRefusal = [],
                    Entries = [new("Enabled", "false", "appsettings.json", null), new("Bulkheads:Enabled", "false", "environment variables", null), new("HttpClients:pricing:Enabled", "false", "code", null)],
                },
                Now)
            .Select(static problem => $"{problem.What}: {problem.Detail}. {problem.Next}")
            .ShouldBe(["All layers: Switched off. Until Enabled is set (appsettings.json)", "Configuration: Reload refused 12:00 UTC. The next valid one applies", "Layer Bulkheads: Switched off. Until Enabled is set (environment variables)"]);

    [Fact]
    public void Of_OpenCircuitOfAnHttpClient_IsTheOnlyRowOfItsAuthority()
    {
        var authority = new AuthorityStatus("https://pricing", CircuitState.Open, 0, 0, null, null, 0, 0, 0, null, null);
        Of(Calm with
        {
            CircuitBreakers = [Circuit("http:pricing", mode: CircuitMode.Shadow), Circuit("http:pricing", CircuitState.Open, CircuitMode.Shadow) with { Key = "https://pricing" }],
            HttpClients = [new("pricing", 0, 0, 0, 0, 0, 1, [authority])],
        }).Select(static problem => $"{problem.What}: {problem.Kind}").ShouldBe(["http:pricing · https://pricing: shadow"]);
    }

    [Fact]
    public void Of_Certificate_IsTold_BeforeItExpires()
    {
        var authority = new AuthorityStatus("https://pricing", CircuitState.Closed, 0, 0, null, null, 0, 0, 0, Now.AddDays(1), null);
        Only(Calm with { HttpClients = [new("pricing", 0, 0, 0, 0, 0, 1, [authority])] }).ShouldSatisfyAllConditions(
            static problem => problem.Kind.ShouldBe("open"),
            static problem => problem.Detail.ShouldBe("Certificate expires in 24 h"),
            static problem => problem.Next.ShouldBe("2 Mar 2026, unless it is replaced"));
    }

    [Fact]
    public void Of_Several_TheWorstComesFirst() =>
        Of(Calm with
        {
            CircuitBreakers = [Circuit("watched", CircuitState.Open, CircuitMode.Shadow), Circuit("probed", CircuitState.HalfOpen), Circuit("failing", failures: 90), Circuit("broken", CircuitState.Open)],
            Workers = [Worker(WorkerState.Failed)],
        }).Select(static problem => problem.What).ShouldBe(["broken", "failing", "Worker mail", "probed", "watched"]);

    private static IReadOnlyList<PageProblem> Of(ResilienceStatus status) => PageProblems.Of(status, Configuration, Now);

    private static PageProblem Only(ResilienceStatus status) => Of(status).ShouldHaveSingleItem();
}
