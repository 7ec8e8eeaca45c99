using ResilientHost.Dashboard;
using ResilientHost.Dashboard.Page;
using static ResilientHost.Tests.Dashboard.Page.PageStatus;

namespace ResilientHost.Tests.Dashboard.Page;

public sealed class PageVerdictTests
{
    public static TheoryData<string, string, string, string, string> Cases => new()
    {
        { "calm", "All 1 circuit closed", "No circuit refuses calls.", "OK", "calm" },
        { "open", "1 circuit open", "What is broken is listed with what protects from it.", "1 open", "broken" },
        { "half-open", "1 circuit half-open", "Some calls may be refused.", "1 half-open", "warned" },
        { "shadow", "Orders: would be open for 1 min 20 s", "No circuit refuses calls.", "OK", "noted" },
        { "errors", "Errors at orders", "What is broken is listed with what protects from it.", "1 problem", "broken" },
        { "full", "No room in bulkhead orders", "Some calls may be refused.", "1 problem", "warned" },
        { "shedding", "Service level Reduced", "Some calls may be refused.", "1 problem", "warned" },
        { "counting", "Service level Reduced", "No circuit refuses calls.", "1 problem", "warned" },
        { "off", "All layers switched off", "No circuit refuses calls.", "1 problem", "warned" },
        { "draining", "Instance: draining", "No circuit refuses calls.", "OK", "noted" },
        { "tainted", "Process: an exception that nothing caught was contained", "No circuit refuses calls.", "1 problem", "warned" },
        { "worker", "1 worker down", "What is broken is listed with what protects from it.", "1 problem", "broken" },
        { "much", "2 circuits open, 1 isolated; errors at failing", "What is broken is listed with what protects from it.", "3 open", "broken" },
        { "nothing", "Nothing is broken", "No circuit refuses calls.", "OK", "calm" },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void Of_SaysWhatIsKnown_AndNoMore(string scene, string text, string summary, string title, string severity)
    {
        var (status, configuration) = Scene(scene);
        var verdict = PageVerdict.Of(status, PageProblems.Of(status, configuration, Now));
        (verdict.Text, verdict.Summary, verdict.Short, verdict.Severity).ShouldBe((text, summary, title, severity));
    }

    private static (ResilienceStatus Status, ConfigurationStatus Configuration) Scene(string name) => name switch
    {
        "off" => (Calm, Configuration with { Entries = [new("Enabled", "false", "code", null)] }),
        _ => (StatusOf(name), Configuration),
    };

    private static ResilienceStatus StatusOf(string scene) => scene switch
    {
        "calm" => Calm,
        "open" => With(Circuit("orders", CircuitState.Open)),
        "half-open" => With(Circuit("orders", CircuitState.HalfOpen)),
        "shadow" => With(Circuit("Orders", CircuitState.Open, CircuitMode.Shadow)),
        "errors" => With(Circuit("orders", failures: 100)),
        "full" => Calm with { Bulkheads = [Bulkhead("orders", 16, 9)] },
        "shedding" => Calm with { Level = ServiceLevel.Reduced },
        "counting" => Calm with { Level = ServiceLevel.Reduced, Degradation = Calm.Degradation with { Mode = DegradationMode.Shadow } },
        "draining" => Calm with { IsDraining = true },
        "tainted" => Calm with { IsTainted = true },
        "worker" => Calm with { Workers = [Worker(WorkerState.Failed)] },
        "much" => Calm with
        {
            CircuitBreakers = [Circuit("a", CircuitState.Open), Circuit("b", CircuitState.Open), Circuit("c", CircuitState.Isolated), Circuit("failing", failures: 50)],
            Workers = [Worker(WorkerState.Failed)],
        },
        "nothing" => Calm with { CircuitBreakers = [] },
        _ => throw new ArgumentOutOfRangeException(nameof(scene), scene, "No such scene."),
    };
}
