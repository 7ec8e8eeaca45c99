using Microsoft.Extensions.Logging;
using ResilientHost.Degradation;
using Instruments = ResilientHost.ResilienceDiagnostics.Instruments;
using Tags = ResilientHost.ResilienceDiagnostics.Tags;

namespace ResilientHost.Tests.Degradation;

public sealed class DegradationTelemetryTests
{
    [Fact]
    public void Gauges_UnderPressure_ShowLevelSeverityAndSignals()
    {
        var silent = new ScriptedSignal("silent") { Says = () => double.NaN };
        using var host = new DegradationUnderTest(null, true, silent);
        host.Sampler.Find();
        host.Run(cpu: 0.95, seconds: 3);
        host.Metrics.RecordObservableInstruments();

        host.Metrics.Last(Instruments.DegradationLevel).ShouldBe(1);
        host.Metrics.Last(Instruments.DegradationSeverity)!.Value.ShouldBe(0.75, 1e-9);
        host.Metrics.Of(Instruments.DegradationSignal).ShouldHaveSingleItem().Tags[Tags.Signal].ShouldBe("cpu");
        host.Metrics.Last(Instruments.DegradationSignal).ShouldBe(0.95);
    }

    [Theory]
    [InlineData(null, true, 1)]
    [InlineData(null, false, 0)]
    [InlineData(DegradationMode.Shadow, true, 0)]
    [InlineData(DegradationMode.Enforce, false, 1)]
    public void Enforced_TellsWhetherTheLevelTurnsAnybodyDown(DegradationMode? mode, bool sayCriticality, double expected)
    {
        using var host = new DegradationUnderTest(options => options.Mode = mode, sayCriticality);
        host.Sampler.Find();
        host.Metrics.RecordObservableInstruments();
        host.Metrics.Last(Instruments.DegradationEnforced).ShouldBe(expected);

        host.Run(cpu: 0.95, seconds: 3);

        host.Metrics.RecordObservableInstruments();
        host.Metrics.Last(Instruments.DegradationLevel).ShouldBe(1);
        host.Metrics.Last(Instruments.DegradationEnforced).ShouldBe(expected);
    }

    [Fact]
    public async Task Transitions_OfAnOverride_AreCountedWithTheirCause()
    {
        using var host = new DegradationUnderTest();
        _ = host.Shedder;
        host.Control.Override(ServiceLevel.Survival);
        host.Control.ClearOverride();
        await host.Metrics.WaitUntilAsync(all => all.Count(one => one.Instrument == Instruments.DegradationTransitions) == 2, DegradationUnderTest.Patience);

        host.Metrics.Of(Instruments.DegradationTransitions).Select(one => (one.Value, one.Tags[Tags.ServiceLevelFrom], one.Tags[Tags.ServiceLevelTo], one.Tags[Tags.ServiceLevelCause])).ShouldBe(
            [(1, "normal", "survival", "override"), (1, "survival", "normal", "override_ended")]);
    }

    [Fact]
    public async Task Log_OfChanges_SaysWhatDecided()
    {
        using var host = new DegradationUnderTest();
        host.Sampler.Find();
        host.Run(cpu: 0.95, seconds: 2.5);
        host.Run(cpu: 0.5, seconds: 10);
        await host.Logs.WaitForAsync(log => log.EventId.Name == "ServiceLevelFell", DegradationUnderTest.Patience);

        host.Logs.Entries.Where(log => log.EventId.Id is 1400 or 1401).Select(log => (log.Level, log.Message)).ShouldBe(
        [
            (LogLevel.Warning, "Service level changed from Normal to Reduced because of cpu at 2030-01-01T00:00:02.0000000+00:00; requests are turned down by their criticality. cpu=0.95 (enter 0.9, exit 0.75)"),
            (LogLevel.Information, "Service level recovered from Reduced to Normal at 2030-01-01T00:00:07.5000000+00:00. cpu=0.5 (enter 0.9, exit 0.75)"),
        ]);
    }

    [Fact]
    public async Task Log_OfAnOverride_NamesWhoSetAndWhoEndedIt()
    {
        using var host = new DegradationUnderTest();
        host.Control.Override(ServiceLevel.Essential, TimeSpan.FromMinutes(1), "amal");
        host.Control.ClearOverride("björn");
        host.Control.ClearOverride("nobody listens");
        host.Control.Override(ServiceLevel.Reduced, TimeSpan.FromMinutes(1));
        host.Time.Advance(TimeSpan.FromMinutes(1));
        await host.Logs.WaitUntilAsync(all => all.Count(log => log.EventId.Id == 1404) == 2, DegradationUnderTest.Patience);

        host.Logs.Entries.Where(log => log.EventId.Id is 1403 or 1404).Select(log => log.Message).ShouldBe(
        [
            "The service level is held at Essential by amal until 2030-01-01T00:01:00.0000000+00:00; the signals ask for Normal.",
            "The override of the service level to Essential by amal was cleared by björn; the level is Normal.",
            "The service level is held at Reduced by someone until 2030-01-01T00:01:00.0000000+00:00; the signals ask for Normal.",
            "The override of the service level to Reduced by someone has expired; the level is Normal.",
        ]);
    }

    [Fact]
    public void Log_OfAStormOfSheds_IsOneEntryAndOneLine()
    {
        using var host = new DegradationUnderTest();
        host.Control.Override(ServiceLevel.Survival);
        var shed = Enumerable.Range(0, 1_000).Count(i => host.Shedder.Sheds(DegradationUnderTest.Request($"{i}"), Criticality.Default, "GET /\r\nforged", out _));
        host.Time.Advance(TimeSpan.FromSeconds(10));

        host.Logs.Entries.Where(log => log.EventId.Id is 1408 or 1409).Select(log => log.Message).ShouldBe(
        [
            "A request of criticality Default for GET /\\r\\nforged was turned down at service level Survival (severity 3). Further ones are counted and summed up.",
            $"{shed - 1} more requests were turned down by degradation within 10 s.",
        ]);
    }

    [Theory]
    [InlineData(ServiceLevel.Normal, "normal")]
    [InlineData(ServiceLevel.Reduced, "reduced")]
    [InlineData(ServiceLevel.Essential, "essential")]
    [InlineData(ServiceLevel.Survival, "survival")]
    public void Name_OfLevel_IsStable(ServiceLevel level, string name) => DegradationNames.Of(level).ShouldBe(name);

    [Theory]
    [InlineData(Criticality.Sheddable, "sheddable")]
    [InlineData(Criticality.Default, "default")]
    [InlineData(Criticality.Critical, "critical")]
    public void Name_OfCriticality_IsStable(Criticality criticality, string name) => DegradationNames.Of(criticality).ShouldBe(name);

    [Theory]
    [InlineData(ServiceLevelCause.Overload, "overload")]
    [InlineData(ServiceLevelCause.Recovery, "recovery")]
    [InlineData(ServiceLevelCause.Override, "override")]
    [InlineData(ServiceLevelCause.OverrideEnded, "override_ended")]
    public void Name_OfCause_IsStable(ServiceLevelCause cause, string name) => DegradationNames.Of(cause).ShouldBe(name);

    [Fact]
    public void Name_OfNoMember_Throws()
    {
        Should.Throw<ArgumentOutOfRangeException>(() => DegradationNames.Of((ServiceLevel)9));
        Should.Throw<ArgumentOutOfRangeException>(() => DegradationNames.Of((Criticality)9));
        Should.Throw<ArgumentOutOfRangeException>(() => DegradationNames.Of((ServiceLevelCause)9));
    }
}
