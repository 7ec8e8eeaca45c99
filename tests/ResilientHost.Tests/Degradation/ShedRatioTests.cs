using ResilientHost.Degradation;

namespace ResilientHost.Tests.Degradation;

public sealed class ShedRatioTests
{
    [Theory]
    [InlineData(0, 0, 0)]
    [InlineData(0.25, 0.25, 0)]
    [InlineData(1, 0.99, 0)]
    [InlineData(1.5, 0.99, 0.45)]
    [InlineData(2, 0.99, 0.90)]
    [InlineData(2.5, 0.99, 0.95)]
    [InlineData(3, 0.99, 0.99)]
    public void Of_Severity_LowestFirst(double severity, double sheddable, double ofDefault)
    {
        ShedRatio.Of(Criticality.Sheddable, severity).ShouldBe(sheddable, 1e-12);
        ShedRatio.Of(Criticality.Default, severity).ShouldBe(ofDefault, 1e-12);
        ShedRatio.Of(Criticality.Critical, severity).ShouldBe(0);
    }

    [Fact]
    public void Of_GrowingSeverity_NeverShrinks()
    {
        foreach (var criticality in Enum.GetValues<Criticality>())
        {
            var ratios = Enumerable.Range(0, 3_001).Select(i => ShedRatio.Of(criticality, i / 1_000.0)).ToArray();
            ratios.ShouldBe(ratios.Order());
            ratios[^1].ShouldBeLessThanOrEqualTo(0.99);
        }
    }

    [Fact]
    public void Shedding_InOneNumber_KeepsSeverityAndMode()
    {
        var location = 0.0;
        foreach (var severity in new[] { 0, 0.001, 1, 1.001, 3 })
        {
            foreach (var isEnforced in new[] { true, false })
            {
                new Shedding(severity, isEnforced).Write(ref location);
                var read = Shedding.Read(ref location);
                read.Severity.ShouldBe(severity);
                read.IsActive.ShouldBe(severity > 0);
                read.IsEnforced.ShouldBe(isEnforced && severity > 0);
                read.Level.ShouldBe((ServiceLevel)(int)Math.Ceiling(severity));
            }
        }
    }
}
