using ResilientHost.Outbound;

namespace ResilientHost.Tests.Hosting;

/// <summary>HTTP clients, calls and caches in the section: nested sections inherit, are checked and reload as everything else.</summary>
public sealed class OutboundConfigurationTests
{
    [Fact]
    public void HttpClients_NestedSections_InheritKeyByKey()
    {
        using var suite = new SuiteUnderTest("""
            { "HttpClients": {
                "Default": { "TotalTimeout": "00:00:20", "Retry": { "MaxAttempts": 2, "Budget": 0.2 }, "CircuitBreaker": { "MinimumThroughput": 7 } },
                "slow": { "Retry": { "Delay": "00:00:01" }, "Bulkhead": { "MaxConcurrency": null } },
                "pricing": { "Inherit": "slow", "TotalTimeout": "00:00:10", "CircuitBreaker": { "FailureRatio": null, "ConsecutiveFailures": 3 } } } }
            """);

        var pricing = suite.Settings.HttpClients.Named["Pricing"];

        pricing.TotalTimeout.ShouldBe(TimeSpan.FromSeconds(10));
        pricing.Retry.MaxAttempts.ShouldBe(2);
        pricing.Retry.Budget.ShouldBe(0.2);
        pricing.Retry.Delay.ShouldBe(TimeSpan.FromSeconds(1));
        pricing.Bulkhead.MaxConcurrency.ShouldBeNull();
        pricing.CircuitBreaker.MinimumThroughput.ShouldBe(7);
        pricing.CircuitBreaker.FailureRatio.ShouldBeNull();
        pricing.CircuitBreaker.ConsecutiveFailures.ShouldBe(3);
        suite.Settings.HttpClients.Default.Retry.Delay.ShouldBe(TimeSpan.FromMilliseconds(200), "heirs do not change what they inherit");
        suite.Settings.HttpClients.Default.CircuitBreaker.FailureRatio.ShouldBe(0.5);
    }

    [Fact]
    public void HttpClients_ExampleOfTheContract_IsValidAndDerivesTheAttemptTimeout()
    {
        using var suite = new SuiteUnderTest("""{ "HttpClients": { "pricing": { "TotalTimeout": "00:00:10", "Retry": { "MaxAttempts": 2, "Budget": 0.1 } }, "quick": { "TotalTimeout": "00:00:02" } } }""");

        new HttpClientPolicy(suite.Settings.HttpClients.Named["pricing"], enabled: true).AttemptTimeout.ShouldBe(TimeSpan.FromSeconds(10));
        new HttpClientPolicy(suite.Settings.HttpClients.Named["quick"], enabled: true).AttemptTimeout.ShouldBe(TimeSpan.FromSeconds(2));
        new HttpClientPolicy(new() { TotalTimeout = null }, enabled: true).AttemptTimeout.ShouldBe(TimeSpan.FromSeconds(10));
    }

    [Fact]
    public void NestedSections_WrongKeysAndValues_AreReportedWithTheirPath() =>
        SuiteUnderTest.ErrorsOf("""
            { "HttpClients": { "pricing": { "AttemptTimeout": "00:01:00", "Retry": { "MaxAttempt": 3, "Jitter": "much" }, "Hedging": 5, "CircuitBreaker": { "PartitionBy": "User" }, "Bulkhead": { "PartitionWeights": { "a": 2 } } } },
              "Calls": { "orders": { "Retry": { "MaxAttempts": 0 } } },
              "Caches": { "Default": { "SoftTimeout": "00:01:00" }, "products": { "EagerRefresh": 1 } } }
            """).ShouldSatisfyAllConditions(
                errors => errors.ShouldContain("Resilience:HttpClients:pricing:AttemptTimeout must not be longer than TotalTimeout (00:00:30), but is 00:01:00."),
                errors => errors.ShouldContain("Resilience:HttpClients:pricing:Retry:MaxAttempt is not a known key; did you mean MaxAttempts?"),
                errors => errors.ShouldContain("Resilience:HttpClients:pricing:Retry:Jitter must be a number, but is \"much\"."),
                errors => errors.ShouldContain("Resilience:HttpClients:pricing:Hedging must be a section, but is \"5\"."),
                errors => errors.ShouldContain("Resilience:HttpClients:pricing:CircuitBreaker:PartitionBy must not be set: it tells inbound callers apart, and this is for outbound calls."),
                errors => errors.ShouldContain(error => error.StartsWith("Resilience:HttpClients:pricing:Bulkhead:PartitionWeights is not a known key", StringComparison.Ordinal)),
                errors => errors.ShouldContain("Resilience:Calls:orders:Retry:MaxAttempts must be 1 to 10 attempts, but is 0."),
                errors => errors.ShouldContain("Resilience:Caches:Default:SoftTimeout must not be longer than HardTimeout (00:00:30), but is 00:01:00."),
                errors => errors.ShouldContain("Resilience:Caches:products:EagerRefresh must be above 0 and below 1, or null, but is 1."),
                errors => errors.Count.ShouldBe(9));

    [Fact]
    public void Reload_NestedThreshold_ChangesOnlyThatClient()
    {
        using var suite = new SuiteUnderTest("""{ "HttpClients": { "a": { "Retry": { "Budget": 0.1 } }, "b": {} } }""");
        var before = suite.Settings.HttpClients;

        suite.Save("""{ "HttpClients": { "a": { "Retry": { "Budget": 0.3 } }, "b": {} } }""").ShouldBeNull();

        var after = suite.Settings.HttpClients;
        after.Named["a"].Retry.Budget.ShouldBe(0.3);
        after.Named["b"].ShouldBeSameAs(before.Named["b"]);
        after.Default.ShouldBeSameAs(before.Default);
    }

    [Fact]
    public void KillSwitches_OfSuiteAndLayer_TurnTheLayerOff()
    {
        using var suite = new SuiteUnderTest("""{ "HttpClients": { "Enabled": false }, "Calls": { "orders": {} } }""");

        suite.Settings.HttpClients.Enabled.ShouldBeFalse();
        suite.Settings.Calls.Enabled.ShouldBeTrue();
        suite.Save("""{ "Enabled": false, "Calls": { "orders": {} } }""").ShouldBeNull();
        suite.Settings.HttpClients.Enabled.ShouldBeFalse();
        suite.Settings.Calls.Enabled.ShouldBeFalse();
        suite.Settings.Caches.Enabled.ShouldBeFalse();
    }

    [Fact]
    public void Code_ChangesNestedOptions_OnTopOfTheSection()
    {
        using var suite = new SuiteUnderTest(
            """{ "HttpClients": { "pricing": { "Retry": { "MaxAttempts": 2 } } } }""",
            o => o.HttpClients.Configure("pricing", client => client.Retry.Budget = 0.5));

        suite.Settings.HttpClients.Named["pricing"].Retry.MaxAttempts.ShouldBe(2);
        suite.Settings.HttpClients.Named["pricing"].Retry.Budget.ShouldBe(0.5);
    }
}
