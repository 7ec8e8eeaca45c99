namespace ResilientHost.Tests.Hosting;

public sealed class NamedOptionsTests
{
    private static CircuitBreakerOptions Effective(string name, string resilience, Action<ResilienceOptions> configure)
    {
        using var suite = new SuiteUnderTest(resilience, configure);
        return suite.Settings.CircuitBreakers.Named[name];
    }

    [Fact]
    public void Set_Options_ReplacesConfigurationAndInheritsNothing()
    {
        var options = Effective(
            "x",
            """{ "CircuitBreakers": { "Default": { "WindowSize": 50 }, "x": { "HalfOpenProbes": 9 } } }""",
            o => o.CircuitBreakers["X"] = new() { ConsecutiveFailures = 4 });

        (options.ConsecutiveFailures, options.WindowSize, options.HalfOpenProbes).ShouldBe((4, 0, 3));
    }

    [Fact]
    public void Configure_Name_ChangesOnTopOfConfigurationAndLaterDefault()
    {
        var options = Effective(
            "x",
            """{ "CircuitBreakers": { "x": { "HalfOpenProbes": 9, "MinimumThroughput": 5 } } }""",
            o =>
            {
                o.CircuitBreakers.Configure("x", b => b.MinimumThroughput += 1);
                o.CircuitBreakers.Default.ConsecutiveFailures = 7;
            });

        (options.HalfOpenProbes, options.MinimumThroughput, options.ConsecutiveFailures).ShouldBe((9, 6, 7));
    }

    [Fact]
    public void Configure_WithParent_StartsFromItEvenIfAddedLater()
    {
        var options = Effective("x", "{}", o =>
        {
            o.CircuitBreakers.Configure("x", inherit: "slow", b => b.HalfOpenProbes = 2);
            o.CircuitBreakers.Configure("slow", b => b.ConsecutiveFailures = 8);
        });

        (options.HalfOpenProbes, options.ConsecutiveFailures).ShouldBe((2, 8));
    }

    [Fact]
    public void Get_Name_GivesOptionsToChangeInPlace()
    {
        var options = Effective(
            "x",
            """{ "CircuitBreakers": { "Default": { "WindowSize": 50 }, "x": { "HalfOpenProbes": 9 } } }""",
            o => o.CircuitBreakers["x"].HalfOpenProbes++);

        (options.WindowSize, options.HalfOpenProbes).ShouldBe((50, 10));
    }

    [Fact]
    public void Get_UnknownName_ThrowsAndListsTheNames()
    {
        var options = new ResilienceOptions();
        options.Bulkheads.Configure("b", _ => { });
        options.Bulkheads["a"] = new();

        Should.Throw<KeyNotFoundException>(() => options.Bulkheads["c"]).Message.ShouldBe("Resilience:Bulkheads has no entry 'c'. There are: a, b.");
        Should.Throw<KeyNotFoundException>(() => options.CircuitBreakers["c"]).Message.ShouldBe("Resilience:CircuitBreakers has no entry 'c'. There are: none.");
    }

    [Fact]
    public void Default_ByName_IsTheDefault()
    {
        var options = new ResilienceOptions();
        options.Bulkheads.Configure("default", b => b.QueueLength = 3);

        options.Bulkheads["DEFAULT"].ShouldBeSameAs(options.Bulkheads.Default);
        options.Bulkheads.Default.QueueLength.ShouldBe(3);
        options.Bulkheads["Default"] = new() { QueueLength = 4 };
        options.Bulkheads.Default.QueueLength.ShouldBe(4);
        options.Bulkheads.Names.ShouldBeEmpty();
    }

    [Fact]
    public void BadArguments_Throw()
    {
        var options = new ResilienceOptions().CircuitBreakers;

        Should.Throw<ArgumentException>(() => options[" "] = new());
        Should.Throw<ArgumentNullException>(() => options["x"] = null!);
        Should.Throw<ArgumentNullException>(() => options.Default = null!);
        Should.Throw<ArgumentNullException>(() => options.Configure("x", null!));
        Should.Throw<ArgumentException>(() => options.Configure("", _ => { }));
        Should.Throw<ArgumentException>(() => options.Configure("Default", "x", _ => { })).Message.ShouldStartWith("'Default' inherits from nothing.");
        options.Names.ShouldBeEmpty();
    }

    [Fact]
    public void WrongValuesInCode_AreErrorsAtTheirKey() =>
        SuiteUnderTest.ErrorsOf("{}", o =>
        {
            o.UnknownKeys = (UnknownKeyHandling)9;
            o.CircuitBreakers["x"] = new() { Mode = (CircuitMode)7, HalfOpenProbes = 0 };
            o.CircuitBreakers.Configure("y", "nobody", b => b.BreakJitter = double.NaN);
            o.Bulkheads.Configure("z", b => b.QueueTimeout = TimeSpan.Zero);
        }).ShouldBe([
            "Resilience:UnknownKeys must be Error or Warn, but is 9.",
            "Resilience:CircuitBreakers:x:Mode must be Enforce, Shadow, Disabled or ForcedOpen, but is 7.",
            "Resilience:CircuitBreakers:x:HalfOpenProbes must be from 1 to 1,000 calls, but is 0.",
            "Resilience:CircuitBreakers:y:Inherit must be one of Default, x, but is \"nobody\".",
            "Resilience:CircuitBreakers:y:BreakJitter must be from 0 to below 1, but is NaN.",
            "Resilience:Bulkheads:z:QueueTimeout must be longer than 0 s and at most 86400 s, but is 0 s.",
        ]);
}
