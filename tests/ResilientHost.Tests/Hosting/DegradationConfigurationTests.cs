using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace ResilientHost.Tests.Hosting;

/// <summary>Sections within a section, and options that code alone can give.</summary>
public sealed class DegradationConfigurationTests
{
    [Theory]
    [InlineData("""{ "Cpu": { "Enter": 0.5, "Exit": 0.6 } }""", "Resilience:Degradation:Cpu:Enter must be above Cpu:Exit (0.6), but is 0.5.")]
    [InlineData("""{ "Cpu": { "Enter": 0.7, "Exit": 0.7 } }""", "Resilience:Degradation:Cpu:Enter must be above Cpu:Exit (0.7), but is 0.7.")]
    [InlineData("""{ "Memory": { "Exit": -0.1 } }""", "Resilience:Degradation:Memory:Exit must be 0 or more, but is -0.1.")]
    [InlineData("""{ "Cpu": { "Entr": 0.5 } }""", "Resilience:Degradation:Cpu:Entr is not a known key; did you mean Enter?")]
    [InlineData("""{ "Cpu": 0.9 }""", "Resilience:Degradation:Cpu must be a section, but is \"0.9\".")]
    [InlineData("""{ "Cpu": { "Enter": "much" } }""", "Resilience:Degradation:Cpu:Enter must be a number, but is \"much\".")]
    [InlineData("""{ "Cpu": { "Enter": null } }""", "Resilience:Degradation:Cpu:Enter must be a number, but is null.")]
    [InlineData("""{ "Mode": "Panic" }""", "Resilience:Degradation:Mode must be one of Enforce, Shadow, but is \"Panic\".")]
    [InlineData("""{ "SampleInterval": "00:00:00.050" }""", "Resilience:Degradation:SampleInterval must be from 00:00:00.1000000 to 00:00:10 (hh:mm:ss), but is 00:00:00.0500000.")]
    [InlineData("""{ "RampDown": "02:00:00" }""", "Resilience:Degradation:RampDown must be from 00:00:00 to 01:00:00 (hh:mm:ss), but is 02:00:00.")]
    public void Errors_NameTheKeyTheRuleAndTheValue(string degradation, string error) =>
        SuiteUnderTest.ErrorsOf($$"""{ "Degradation": {{degradation}} }""").ShouldHaveSingleItem().ShouldBe(error);

    [Fact]
    public void Errors_OfSeveralSignals_ComeAtOnce() =>
        SuiteUnderTest.ErrorsOf("""{ "Degradation": { "Cpu": { "Enter": 0.1 }, "GcPause": { "Exit": 1 }, "Heat": { } } }""").Count.ShouldBe(3);

    [Theory]
    [InlineData("""{ "Bulkheads": { "x": { "PartitionBy": "Tenant" } } }""", "Resilience:Bulkheads:x:PartitionBy must be one of User, Claim:type, Header:name, RouteValue:name, Host, RemoteAddress, but is \"Tenant\".")]
    [InlineData("""{ "Bulkheads": { "x": { "PartitionBy": "Header" } } }""", "Resilience:Bulkheads:x:PartitionBy must be one of User, Claim:type, Header:name, RouteValue:name, Host, RemoteAddress, but is \"Header\".")]
    [InlineData("""{ "Bulkheads": { "x": { "PartitionBy": "User", "MaxConcurrency": null } } }""", "Resilience:Bulkheads:x:MaxConcurrency must be a number of calls where callers get shares of it, but is null.")]
    [InlineData("""{ "Bulkheads": { "x": { "Adaptive": "Aimd", "MaxConcurrency": null } } }""", "Resilience:Bulkheads:x:MaxConcurrency must be a number of calls with Adaptive Aimd, but is null.")]
    [InlineData("""{ "Bulkheads": { "x": { "Adaptive": "Aimd", "MaxConcurrency": 10, "MinConcurrency": 11 } } }""", "Resilience:Bulkheads:x:MinConcurrency must be from 1 call to MaxConcurrency, but is 11.")]
    [InlineData("""{ "Bulkheads": { "x": { "Adaptive": "Aimd", "MaxConcurrency": 10, "InitialConcurrency": 11 } } }""", "Resilience:Bulkheads:x:InitialConcurrency must be from MinConcurrency to MaxConcurrency calls, or null, but is 11.")]
    [InlineData("""{ "Bulkheads": { "x": { "PartitionWeights": { "big": 0 } } } }""", "Resilience:Bulkheads:x:PartitionWeights:big must be above 0 and at most 1000, but is 0.")]
    [InlineData("""{ "CircuitBreakers": { "x": { "MinimumDistinctCallers": 65 } } }""", "Resilience:CircuitBreakers:x:MinimumDistinctCallers must be from 0 to 64 callers, but is 65.")]
    [InlineData("""{ "CircuitBreakers": { "x": { "CallerBy": "Someone" } } }""", "Resilience:CircuitBreakers:x:CallerBy must be one of User, Claim:type, Header:name, RouteValue:name, Host, RemoteAddress, but is \"Someone\".")]
    public void Errors_OfPartitionsAndAdaptiveLimits_NameTheKey(string section, string error) =>
        SuiteUnderTest.ErrorsOf(section).ShouldHaveSingleItem().ShouldBe(error);

    [Fact]
    public void Code_ThatTellsCallersApart_IsInherited()
    {
        Func<HttpContext, string?> tenant = static _ => "tenant";
        using var suite = new SuiteUnderTest(
            """{ "Bulkheads": { "Default": { "MaxConcurrency": 10, "PartitionWeights": { "big": 3 } }, "x": { } } }""",
            options => options.Bulkheads.Default.PartitionKey = tenant);

        var named = suite.Settings.Bulkheads.Named["x"];
        named.PartitionKey.ShouldBeSameAs(tenant);
        named.PartitionWeights.ShouldHaveSingleItem().ShouldBe(new KeyValuePair<string, double>("big", 3));
        suite.Settings.Bulkheads.ForEndpoints.PartitionKey.ShouldBeNull();
    }

    [Fact]
    public void Reload_OfOneThreshold_IsSaidAndApplies()
    {
        using var suite = new SuiteUnderTest("""{ "Degradation": { "Cpu": { "Enter": 0.9 } } }""");
        var before = suite.Settings;

        suite.Save("""{ "Degradation": { "Cpu": { "Enter": 0.95 } } }""");

        suite.Settings.Degradation.ShouldNotBeSameAs(before.Degradation);
        suite.Settings.TrustedCallers.ShouldBeSameAs(before.TrustedCallers);
        suite.Messages(LogLevel.Information).ShouldContain(message => message.Contains("Cpu:Enter 0.9 → 0.95", StringComparison.Ordinal));
    }
}
