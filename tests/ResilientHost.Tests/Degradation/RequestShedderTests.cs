using Microsoft.AspNetCore.Http;
using ResilientHost.Degradation;

namespace ResilientHost.Tests.Degradation;

public sealed class RequestShedderTests : IDisposable
{
    private const int Requests = 10_000;

    // The draw is keyed anew in each process. Of so many, six standard deviations are less than what is allowed: 0.01 at nine tenths, 0.02 at a half.
    private const int Draws = 40_000;
    private readonly DegradationUnderTest _host = new();

    public void Dispose() => _host.Dispose();

    [Fact]
    public void IsActive_AtNormal_IsFalseAndNothingIsShed()
    {
        _host.Shedder.IsActive.ShouldBeFalse();
        Sheds(Criticality.Sheddable).ShouldBeFalse();
        _host.Control.Override(ServiceLevel.Normal);
        _host.Shedder.IsActive.ShouldBeFalse();
    }

    [Theory]
    [InlineData(ServiceLevel.Reduced, 0.99, 0)]
    [InlineData(ServiceLevel.Essential, 0.99, 0.90)]
    [InlineData(ServiceLevel.Survival, 0.99, 0.99)]
    public void Sheds_AtEachLevel_TheSharesOfItsSeverity(ServiceLevel level, double sheddable, double ofDefault)
    {
        _host.Control.Override(level);

        Share(Criticality.Sheddable).ShouldBe(sheddable, 0.01);
        Share(Criticality.Default).ShouldBe(ofDefault, 0.01);
        Share(Criticality.Critical).ShouldBe(0);
        Share(Criticality.Sheddable).ShouldBeLessThan(1);
    }

    [Fact]
    public void Sheds_BetweenLevels_InProportion()
    {
        _host.Sampler.Find();
        _host.Run(cpu: 1, seconds: 2.5);
        var severity = _host.Control.Shedding.Severity;

        severity.ShouldBe(0.5, 1e-9);
        Share(Criticality.Sheddable).ShouldBe(severity, 0.02);
        Share(Criticality.Default).ShouldBe(0);
    }

    [Fact]
    public void Sheds_SameRequestIdAgain_GivesTheSameAnswerAndOnceShedStaysShed()
    {
        _host.Sampler.Find();
        var shed = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < 16; i++)
        {
            _host.Run(cpu: 1, seconds: 0.5);
            var now = Ids().Where(id => Sheds(Criticality.Default, id)).ToHashSet(StringComparer.Ordinal);
            Ids().Where(id => Sheds(Criticality.Default, id)).ToHashSet(StringComparer.Ordinal).SetEquals(now).ShouldBeTrue();
            now.IsSupersetOf(shed).ShouldBeTrue();
            shed = now;
        }

        (shed.Count / (double)Requests).ShouldBe(0.99, 0.01);
    }

    [Fact]
    public void Sheds_WithoutRequestId_GoesByTheReceivedTrace()
    {
        _host.Control.Override(ServiceLevel.Essential);
        var answers = Enumerable.Range(1, 1_000).Select(trace =>
        {
            var attempts = Enumerable.Range(1, 3).Select(span =>
            {
                var request = new DefaultHttpContext();
                request.Request.Headers.TraceParent = $"00-{trace:x32}-{span:x16}-01";
                return _host.Shedder.Sheds(request, Criticality.Default, "GET /", out _);
            }).Distinct().ToArray();
            return attempts.ShouldHaveSingleItem();
        }).ToArray();

        (answers.Count(shed => shed) / 1_000.0).ShouldBe(0.90, 0.04);
    }

    [Theory]
    [InlineData("")]
    [InlineData("00-short")]
    [InlineData("00-00000000000000000000000000000000-0000000000000001-01")]
    [InlineData("zz-0000000000000000000000000000000g-0000000000000001-01")]
    public void Sheds_GarbageAsTrace_IsLeftToChance(string parent)
    {
        _host.Control.Override(ServiceLevel.Essential);
        var answers = Enumerable.Range(0, 1_000).Select(attempt =>
        {
            var request = new DefaultHttpContext();
            request.Request.Headers.TraceParent = parent;
            return _host.Shedder.Sheds(request, Criticality.Default, "GET /", out _);
        });

        answers.Count(shed => !shed).ShouldBeInRange(30, 200);
    }

    [Fact]
    public void Draw_OfIdsThatDifferLittle_IsSpreadEvenly()
    {
        var tenths = Ids().GroupBy(id => (int)(RequestDraw.Of(id.AsSpan()) * 10)).ToDictionary(tenth => tenth.Key, tenth => tenth.Count());

        tenths.Keys.Order().ShouldBe(Enumerable.Range(0, 10));
        tenths.Values.ShouldAllBe(count => count > Requests / 10 * 0.85 && count < Requests / 10 * 1.15);
    }

    [Theory]
    [InlineData("sheddable", Criticality.Critical, false, Criticality.Sheddable)]
    [InlineData("SHEDDABLE", Criticality.Default, false, Criticality.Sheddable)]
    [InlineData("default", Criticality.Critical, false, Criticality.Default)]
    [InlineData("critical", Criticality.Sheddable, false, Criticality.Sheddable)]
    [InlineData("critical", Criticality.Sheddable, true, Criticality.Critical)]
    [InlineData("Default", Criticality.Sheddable, true, Criticality.Default)]
    [InlineData("sheddable", Criticality.Critical, true, Criticality.Sheddable)]
    [InlineData("0", Criticality.Critical, true, Criticality.Critical)]
    [InlineData("", Criticality.Default, true, Criticality.Default)]
    [InlineData("sheddable, critical", Criticality.Default, true, Criticality.Default)]
    [InlineData("very critical", Criticality.Default, true, Criticality.Default)]
    public void Criticality_SaidByTheCaller_LowersAndRaisesOnlyForTrusted(string said, Criticality own, bool isTrusted, Criticality expected)
    {
        _host.Trusts = _ => isTrusted;
        RequestCriticality.Of(DegradationUnderTest.Request(criticality: said), own, _host).ShouldBe(expected);
    }

    [Fact]
    public void Criticality_SeveralHeaders_SayNothing()
    {
        _host.Trusts = _ => true;
        var request = new DefaultHttpContext();
        request.Request.Headers.Append("resilience-criticality", "sheddable");
        request.Request.Headers.Append("resilience-criticality", "critical");

        RequestCriticality.Of(request, Criticality.Default, _host).ShouldBe(Criticality.Default);
    }

    [Fact]
    public void Criticality_NotRaised_AsksNobodyForTrust()
    {
        _host.Trusts = _ => throw new InvalidOperationException("must not be asked");
        RequestCriticality.Of(DegradationUnderTest.Request(criticality: "sheddable"), Criticality.Default, _host).ShouldBe(Criticality.Sheddable);
        RequestCriticality.Of(DegradationUnderTest.Request(criticality: "default"), Criticality.Default, _host).ShouldBe(Criticality.Default);
    }

    [Fact]
    public void Sheds_Refusal_NamesItselfAndIsJittered()
    {
        _host.Control.Override(ServiceLevel.Survival);
        var refusals = Ids().Where(id => Sheds(Criticality.Default, id)).Select(id =>
        {
            _host.Shedder.Sheds(DegradationUnderTest.Request(id), Criticality.Default, "GET /", out var refusal);
            return refusal;
        }).ToArray();

        refusals.ShouldAllBe(refusal => refusal.Reason == RefusalReason.Shed && refusal.Source == "degradation" && !refusal.IsCallersShare);
        refusals.ShouldAllBe(refusal => refusal.RetryAfter >= TimeSpan.FromSeconds(2) && refusal.RetryAfter <= TimeSpan.FromSeconds(10));
        refusals.Average(refusal => refusal.RetryAfter!.Value.TotalSeconds).ShouldBe(6, 0.2);
    }

    [Fact]
    public void Sheds_InShadow_OnlyCounts()
    {
        using var host = new DegradationUnderTest(sayCriticality: false);
        host.Sampler.Find();
        host.Run(cpu: 1, seconds: 10);
        host.Shedder.IsActive.ShouldBeTrue();
        foreach (var id in Ids())
        {
            host.Shedder.Sheds(DegradationUnderTest.Request(id), Criticality.Sheddable, "GET /news", out _).ShouldBeFalse();
        }

        (string, object?)[] tags =
        [
            (ResilienceDiagnostics.Tags.Criticality, "sheddable"), (ResilienceDiagnostics.Tags.ServiceLevel, "survival"), (ResilienceDiagnostics.Tags.Endpoint, "GET /news"),
        ];
        host.Metrics.Sum(ResilienceDiagnostics.Instruments.DegradationShadowShed, tags).ShouldBe(0.99 * Requests, 0.01 * Requests);
        host.Metrics.Of(ResilienceDiagnostics.Instruments.DegradationShed).ShouldBeEmpty();
        host.Logs.Entries.ShouldNotContain(entry => entry.EventId.Name == "RequestShed");
    }

    [Fact]
    public void Sheds_OverrideThatHasRunOut_ShedsNothing()
    {
        _host.Control.Override(ServiceLevel.Survival, TimeSpan.FromSeconds(1));
        var shed = Ids().First(id => Sheds(Criticality.Sheddable, id));
        _host.Time.Advance(TimeSpan.FromSeconds(1));

        Sheds(Criticality.Sheddable, shed).ShouldBeFalse();
        _host.Shedder.IsActive.ShouldBeFalse();
    }

    [Fact]
    public void IsActive_Asked_AllocatesNothing()
    {
        var active = false;
        AllocatedBytes.Of(Ask).ShouldBe(0);
        active.ShouldBeFalse();

        void Ask()
        {
            for (var i = 0; i < 1_000; i++)
            {
                active |= _host.Shedder.IsActive;
            }
        }
    }

    private static IEnumerable<string> Ids(int count = Requests) => Enumerable.Range(0, count).Select(i => $"request-{i}");

    private bool Sheds(Criticality own, string? id = null) => _host.Shedder.Sheds(DegradationUnderTest.Request(id), own, "GET /", out _);

    private double Share(Criticality own) => Ids(Draws).Count(id => Sheds(own, id)) / (double)Draws;
}
