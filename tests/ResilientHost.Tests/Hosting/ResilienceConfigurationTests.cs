using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace ResilientHost.Tests.Hosting;

public sealed class ResilienceConfigurationTests
{
    [Fact]
    public void Section_Absent_GivesSafeDefaults()
    {
        using var suite = new SuiteUnderTest("{}");

        suite.Settings.Enabled.ShouldBeTrue();
        suite.Settings.CircuitBreakers.Named.ShouldBeEmpty();
        suite.Settings.CircuitBreakers.ForEndpoints.Mode.ShouldBe(CircuitMode.Shadow);
        suite.Settings.CircuitBreakers.ForEndpoints.FailureRatio.ShouldBe(0.5);
        suite.Settings.Bulkheads.ForEndpoints.MaxConcurrency.ShouldBeNull();
        suite.Logs.Entries.ShouldBeEmpty();
    }

    [Fact]
    public void Names_InheritDefaultAndEachOther_OwnKeysWin()
    {
        using var suite = new SuiteUnderTest("""
            { "CircuitBreakers": {
                "Default": { "MinimumThroughput": 7, "BreakDuration": "00:00:03" },
                "slow": { "SlowCallDuration": "00:00:01", "MinimumThroughput": 8 },
                "checkout": { "Inherit": "SLOW", "mode": "shadow", "MinimumThroughput": 9 },
                "plain": {} },
              "Bulkheads": { "checkout": { "MaxConcurrency": 20, "QueueLength": 50, "QueueTimeout": "00:00:00.200", "QueueOrder": "NewestFirst" } } }
            """);

        var checkout = suite.Settings.CircuitBreakers.Named["CHECKOUT"];
        checkout.Mode.ShouldBe(CircuitMode.Shadow);
        checkout.MinimumThroughput.ShouldBe(9);
        checkout.SlowCallDuration.ShouldBe(TimeSpan.FromSeconds(1));
        checkout.BreakDuration.ShouldBe(TimeSpan.FromSeconds(3));
        suite.Settings.CircuitBreakers.Named["plain"].MinimumThroughput.ShouldBe(7);
        suite.Settings.CircuitBreakers.Named["plain"].Mode.ShouldBe(CircuitMode.Enforce);
        suite.Settings.CircuitBreakers.Named.Keys.ShouldBe(["checkout", "plain", "slow"], ignoreOrder: true);
        var bulkhead = suite.Settings.Bulkheads.Named["checkout"];
        (bulkhead.MaxConcurrency, bulkhead.QueueLength, bulkhead.QueueTimeout, bulkhead.QueueOrder)
            .ShouldBe((20, 50, TimeSpan.FromMilliseconds(200), QueueOrder.NewestFirst));
    }

    [Theory]
    [InlineData("null")]
    [InlineData("\"\"")]
    public void Null_OnNullable_SwitchesOffWhatWouldBeInherited(string value)
    {
        using var suite = new SuiteUnderTest($$"""
            { "CircuitBreakers": { "Default": { "FailureRatio": 0.3, "SlowCallDuration": "00:00:01" }, "x": { "FailureRatio": {{value}}, "SlowCallDuration": {{value}} } },
              "Bulkheads": { "x": { "MaxConcurrency": {{value}} } } }
            """);

        suite.Settings.CircuitBreakers.Named["x"].FailureRatio.ShouldBeNull();
        suite.Settings.CircuitBreakers.Named["x"].SlowCallDuration.ShouldBeNull();
        suite.Settings.CircuitBreakers.ForEndpoints.FailureRatio.ShouldBe(0.3);
        suite.Settings.Bulkheads.Named["x"].MaxConcurrency.ShouldBeNull();
    }

    [Theory]
    [InlineData("""{ "CircuitBreakers": { "Default": { "FailureRatio": 0.4 } } }""", CircuitMode.Shadow)]
    [InlineData("""{ "CircuitBreakers": { "Default": { "Mode": "Enforce" } } }""", CircuitMode.Enforce)]
    [InlineData("""{ "CircuitBreakers": { "Default": { "Mode": "ForcedOpen" } } }""", CircuitMode.ForcedOpen)]
    [InlineData("""{ "CircuitBreakers": { "Enabled": false, "Default": { "Mode": "Enforce" } } }""", CircuitMode.Disabled)]
    [InlineData("""{ "Enabled": false }""", CircuitMode.Disabled)]
    public void EndpointBreakers_Mode_IsShadowUntilDefaultSaysOtherwise(string resilience, CircuitMode mode)
    {
        using var suite = new SuiteUnderTest(resilience);

        suite.Settings.CircuitBreakers.ForEndpoints.Mode.ShouldBe(mode);
    }

    [Fact]
    public void EndpointBreakers_ModeSetInCode_IsTaken()
    {
        using var same = new SuiteUnderTest("{}", o => o.CircuitBreakers.Default.Mode = CircuitMode.Enforce);
        using var replaced = new SuiteUnderTest("{}", o => o.CircuitBreakers.Default = new() { BreakDuration = TimeSpan.FromSeconds(1) });

        same.Settings.CircuitBreakers.ForEndpoints.Mode.ShouldBe(CircuitMode.Enforce);
        replaced.Settings.CircuitBreakers.ForEndpoints.Mode.ShouldBe(CircuitMode.Shadow);
        replaced.Settings.CircuitBreakers.ForEndpoints.BreakDuration.ShouldBe(TimeSpan.FromSeconds(1));
    }

    [Fact]
    public void EndpointBulkheads_DefaultHasLimits_StillOnlyMeasure()
    {
        using var suite = new SuiteUnderTest("""{ "Bulkheads": { "Default": { "MaxConcurrency": 5, "QueueLength": 9 }, "x": {} } }""");

        suite.Settings.Bulkheads.ForEndpoints.MaxConcurrency.ShouldBeNull();
        suite.Settings.Bulkheads.ForEndpoints.QueueLength.ShouldBe(0);
        suite.Settings.Bulkheads.Named["x"].MaxConcurrency.ShouldBe(5);
    }

    [Fact]
    public void Errors_OfEveryKind_AreReportedTogether()
    {
        var errors = SuiteUnderTest.ErrorsOf("""
            { "Enabled": "perhaps",
              "Breakers": {},
              "Telemetry": { "Default": {} },
              "Timeouts": { "Default": "00:00:00", "Grace": "00:00:00" },
              "Fallbacks": { "MaxConcurrency": 0, "Timeout": "01:00:01", "MaxStaleResponseBytes": 0, "MaxStaleStoreBytes": -1 },
              "Bulkheads": { "checkout": { "MaxConcurency": 3, "QueueLength": -1, "QueueTimeout": "-00:00:01" } },
              "CircuitBreakers": {
                "Enabled": null,
                "FailureRatio": 0.3,
                "Default": { "FailureRatio": 0, "Inherit": "checkout" },
                "checkout": { "Inherit": "Defualt", "Mode": 1, "BreakDuration": "30", "MinimumThroughput": "many", "SlowCallRatio": { "x": 1 }, "HalfOpenProbes": 0 },
                "profile": { "Mode": "Shaddow", "MaxBreakDuration": "soon", "HalfOpenProbes": null } } }
            """);

        errors.ShouldBe([
            "Resilience:Breakers is not a known key; known are Bulkheads, Caches, Calls, CircuitBreakers, Connections, Dashboard, DeadLetters, Degradation, Enabled, Fallbacks, HttpClients, IsolatedTasks, Recovery, Shutdown, Timeouts, TrustedCallers, UnknownKeys, WorkerGroups, Workers.",
            "Resilience:Enabled must be true or false, but is \"perhaps\".",
            "Resilience:Telemetry is not a known key; known are Bulkheads, Caches, Calls, CircuitBreakers, Connections, Dashboard, DeadLetters, Degradation, Enabled, Fallbacks, HttpClients, IsolatedTasks, Recovery, Shutdown, Timeouts, TrustedCallers, UnknownKeys, WorkerGroups, Workers.",
            "Resilience:CircuitBreakers:checkout:BreakDuration must be a duration as in \"00:00:30\" (hh:mm:ss, with days \"1.00:00:00\"), but is \"30\"; for 30 seconds write \"00:00:30\".",
            "Resilience:CircuitBreakers:checkout:MinimumThroughput must be a whole number, but is \"many\".",
            "Resilience:CircuitBreakers:checkout:Mode must be one of Enforce, Shadow, Disabled, ForcedOpen, but is \"1\".",
            "Resilience:CircuitBreakers:checkout:SlowCallRatio must be a number, but is a section.",
            "Resilience:CircuitBreakers:Default:Inherit is not a known key; every other name inherits from Default.",
            "Resilience:CircuitBreakers:Enabled must be true or false, but is null.",
            "Resilience:CircuitBreakers:FailureRatio must be a section, but is \"0.3\"; options for every name go under Default:FailureRatio.",
            "Resilience:CircuitBreakers:profile:HalfOpenProbes must be a whole number, but is null.",
            "Resilience:CircuitBreakers:profile:MaxBreakDuration must be a duration as in \"00:00:30\" (hh:mm:ss, with days \"1.00:00:00\"), but is \"soon\".",
            "Resilience:CircuitBreakers:profile:Mode must be one of Enforce, Shadow, Disabled, ForcedOpen, but is \"Shaddow\"; did you mean Shadow?",
            "Resilience:Bulkheads:checkout:MaxConcurency is not a known key; did you mean MaxConcurrency?",
            "Resilience:CircuitBreakers:Default:FailureRatio must be above 0 and at most 1 (null switches the trigger off), but is 0.",
            "Resilience:CircuitBreakers:checkout:Inherit must be one of Default, profile, but is \"Defualt\"; did you mean Default?",
            "Resilience:CircuitBreakers:checkout:HalfOpenProbes must be from 1 to 1,000 calls, but is 0.",
            "Resilience:Bulkheads:checkout:QueueLength must be between 0 and 1000000 calls, but is -1.",
            "Resilience:Bulkheads:checkout:QueueTimeout must be longer than 0 s and at most 86400 s, but is -1 s.",
            "Resilience:Timeouts:Default must be more than 00:00:00 and at most 1.00:00:00 (d.hh:mm:ss), or null for none, but is 00:00:00.",
            "Resilience:Timeouts:Grace must be more than 00:00:00 and at most 01:00:00 (hh:mm:ss), but is 00:00:00.",
            "Resilience:Fallbacks:MaxConcurrency must be 1 to 100000 calls, but is 0. To switch fallbacks off, set Enabled to false.",
            "Resilience:Fallbacks:Timeout must be more than 00:00:00 and at most 01:00:00 (hh:mm:ss), but is 01:00:01.",
            "Resilience:Fallbacks:MaxStaleResponseBytes must be 1 to 67108864 bytes, but is 0.",
            "Resilience:Fallbacks:MaxStaleStoreBytes must be at least MaxStaleResponseBytes (0 bytes), but is -1.",
        ]);
    }

    [Fact]
    public void Message_OfManyErrors_HasOneLineEach()
    {
        using var suite = new SuiteUnderTest("""{ "Enabled": 7, "CircuitBreakers": { "x": { "MinimumThroughput": 0, "HalfOpenProbes": 0 } } }""");

        var lines = Should.Throw<OptionsValidationException>(() => suite.Settings).Message.Split('\n');

        lines.Length.ShouldBe(3);
        lines[0].ShouldStartWith("Resilience:Enabled must be");
        lines[1].ShouldStartWith("Resilience:CircuitBreakers:x:MinimumThroughput must be");
        lines[2].ShouldStartWith("Resilience:CircuitBreakers:x:HalfOpenProbes must be");
    }

    [Fact]
    public void Inherit_Circle_IsAnErrorThatShowsIt()
    {
        var errors = SuiteUnderTest.ErrorsOf("""
            { "CircuitBreakers": { "a": { "Inherit": "b" }, "b": { "Inherit": "c" }, "c": { "Inherit": "b" }, "self": { "Inherit": "self" } } }
            """);

        errors.ShouldBe([
            "Resilience:CircuitBreakers:c:Inherit must lead to Default, but makes a circle: b → c → b.",
            "Resilience:CircuitBreakers:self:Inherit must lead to Default, but makes a circle: self → self.",
        ]);
    }

    [Fact]
    public void Inherit_OfWrongParent_ReportsTheParentOnce()
    {
        var errors = SuiteUnderTest.ErrorsOf("""
            { "CircuitBreakers": { "Default": { "HalfOpenProbes": 0 }, "a": {}, "b": { "Inherit": "a", "WindowSize": -1 }, "c": { "Inherit": "b" } } }
            """);

        errors.ShouldBe([
            "Resilience:CircuitBreakers:Default:HalfOpenProbes must be from 1 to 1,000 calls, but is 0.",
            "Resilience:CircuitBreakers:b:WindowSize must be from 0 (window by time) to 1,000,000 calls, but is -1.",
        ]);
    }

    [Theory]
    [InlineData("5", "Resilience must be a section, but is \"5\".")]
    [InlineData("""{ "CircuitBreakers": true }""", "Resilience:CircuitBreakers must be a section, but is \"True\".")]
    [InlineData("""{ "Bulkheads": { "checkout": 20 } }""", "Resilience:Bulkheads:checkout must be a section, but is \"20\".")]
    [InlineData("""{ "Bulkheads": { "": {} } }""", "Resilience:Bulkheads has an entry without a name.")]
    [InlineData("""{ "Bulkheads": { "x": { "MaxConcurrency": [ 1 ] } } }""", "Resilience:Bulkheads:x:MaxConcurrency must be a whole number, but is a section.")]
    [InlineData("""{ "Bulkheads": { "x": { "Inherit": { "y": 1 } } } }""", "Resilience:Bulkheads:x:Inherit must be text, but is a section.")]
    [InlineData("""{ "UnknownKeys": "1" }""", "Resilience:UnknownKeys must be one of Error, Warn, but is \"1\".")]
    public void Section_OfWrongShape_IsAnError(string resilience, string error) => SuiteUnderTest.ErrorsOf(resilience).ShouldBe([error]);

    [Fact]
    public void Value_LongAndWithControlCharacters_IsShownHarmless()
    {
        var errors = SuiteUnderTest.ErrorsOf($$"""{ "Enabled": "a\u0000\nb{{new string('x', 200)}}" }""");

        errors.ShouldHaveSingleItem().ShouldBe($"Resilience:Enabled must be true or false, but is \"a\\u0000\\u000ab{new string('x', 76)}…\".");
    }

    [Fact]
    public void Key_LongAndWithControlCharacters_IsShownInFullOnOneLine()
    {
        var name = new string('n', 200);

        SuiteUnderTest.ErrorsOf($$"""{ "Bulkheads": { "{{name}}\n": { "MaxConcurrency": 0 } } }""").ShouldBe([
            $"Resilience:Bulkheads:{name}\\u000a:MaxConcurrency must be at least 1 call, or null for no limit, but is 0."]);
    }

    [Fact]
    public void UnknownKeys_Warn_LogsEachOnceAndServes()
    {
        using var suite = new SuiteUnderTest("""{ "UnknownKeys": "Warn", "Telemetry": {}, "CircuitBreakers": { "x": { "Colour": 1, "HalfOpenProbes": 4 } } }""");

        suite.Settings.CircuitBreakers.Named["x"].HalfOpenProbes.ShouldBe(4);
        suite.Save("""{ "UnknownKeys": "Warn", "Telemetry": {}, "CircuitBreakers": { "x": { "Colour": 1, "HalfOpenProbes": 5 } } }""").ShouldBeNull();

        suite.Settings.CircuitBreakers.Named["x"].HalfOpenProbes.ShouldBe(5);
        suite.Messages(LogLevel.Warning).Count().ShouldBe(2);
        suite.Messages(LogLevel.Warning).First().ShouldStartWith("Resilience:Telemetry is not a known key; known are ");
        suite.Messages(LogLevel.Warning).Last().ShouldStartWith("Resilience:CircuitBreakers:x:Colour is not a known key; known are ");
    }

    [Fact]
    public void UnknownKeys_WarnButWrongValues_StillRefuses() =>
        SuiteUnderTest.ErrorsOf("""{ "UnknownKeys": "Warn", "Telemetry": {}, "Enabled": 1 }""")
            .ShouldBe(["Resilience:Enabled must be true or false, but is \"1\"."]);

    [Fact]
    public void Recovery_StatusCodes_AreBoundAndChecked()
    {
        SuiteUnderTest.ErrorsOf("""{ "Recovery": { "StatusCodes": { "System.TimeoutException": "slow" }, "IncludeExceptionDetail": true } }""").ShouldBe([
            "Resilience:Recovery:IncludeExceptionDetail is not a known key; did you mean IncludeExceptionDetails?",
            "Resilience:Recovery:StatusCodes:System.TimeoutException must be a whole number, but is \"slow\".",
        ]);
        SuiteUnderTest.ErrorsOf("""{ "Recovery": { "StatusCodes": { "System.TimeoutException": 200 }, "ProblemCodes": { "System.TimeoutException": "Too Slow" }, "DetailInterval": "-00:00:01" } }""").ShouldBe([
            "Resilience:Recovery:DetailInterval must be more than 00:00:00 and at most 01:00:00 (hh:mm:ss), but is -00:00:01.",
            "Resilience:Recovery:StatusCodes:System.TimeoutException must be an HTTP error status from 400 to 599, but is 200.",
            "Resilience:Recovery:ProblemCodes:System.TimeoutException must be 1 to 64 characters of a-z, 0-9 and _, but is 'Too Slow'.",
        ]);
        using var suite = new SuiteUnderTest(
            """{ "Recovery": { "IncludeExceptionDetails": null, "DetailInterval": "00:00:20", "StatusCodes": { "System.TimeoutException": 503 } } }""",
            o =>
            {
                o.Recovery.DetailInterval.ShouldBe(TimeSpan.FromSeconds(20));
                o.Recovery.StatusCodes["System.TimeoutException"].ShouldBe(503);
            });
        _ = suite.Settings;
    }
}
