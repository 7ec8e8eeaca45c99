using ResilientHost.Hosting;

namespace ResilientHost.Tests.Hosting;

public sealed class ValueFormatTests
{
    [Theory]
    [InlineData("00:00:30", true)]
    [InlineData("-00:00:30", true)]
    [InlineData("1.00:00:00", true)]
    [InlineData("00:00:00.200", true)]
    [InlineData("00:00:00.1234567", true)]
    [InlineData("23:59:59", true)]
    [InlineData("24:00:00", false)]
    [InlineData("00:60:00", false)]
    [InlineData("30", false)]
    [InlineData("00:30", false)]
    [InlineData("1:00:00:00", false)]
    [InlineData("00:00:00.12345678", false)]
    [InlineData("30s", false)]
    [InlineData("PT30S", false)]
    [InlineData("", false)]
    public void Duration_Text_IsAcceptedOnlyInFull(string text, bool accepted) =>
        ValueFormat.For(typeof(TimeSpan))!.Accepts(text).ShouldBe(accepted);

    [Theory]
    [InlineData("30", "for 30 seconds write \"00:00:30\"")]
    [InlineData("0.2", "for 0.2 seconds write \"00:00:00.2000000\"")]
    [InlineData("90", "for 90 seconds write \"00:01:30\"")]
    [InlineData("999999", null)]
    [InlineData("soon", null)]
    public void Duration_BareNumber_HintsAtWhatWasMeant(string text, string? hint) =>
        ValueFormat.For(typeof(TimeSpan?))!.Hint(text).ShouldBe(hint);

    [Theory]
    [InlineData("Shadow", true)]
    [InlineData("shadow", true)]
    [InlineData("1", false)]
    [InlineData("+1", false)]
    [InlineData("Enforce, Shadow", false)]
    [InlineData("Shaddow", false)]
    [InlineData("", false)]
    public void Enum_Text_IsAcceptedByNameOnly(string text, bool accepted) =>
        ValueFormat.For(typeof(CircuitMode))!.Accepts(text).ShouldBe(accepted);

    [Theory]
    [InlineData("0.5", true)]
    [InlineData("1e-1", true)]
    [InlineData("0,5", false)]
    [InlineData("NaN", false)]
    [InlineData("Infinity", false)]
    [InlineData("1e999", false)]
    public void Number_Text_IsAcceptedWhenFinite(string text, bool accepted) =>
        ValueFormat.For(typeof(double?))!.Accepts(text).ShouldBe(accepted);

    [Theory]
    [InlineData("20", true)]
    [InlineData("-1", true)]
    [InlineData("20.0", false)]
    [InlineData("99999999999", false)]
    [InlineData("0x10", false)]
    public void WholeNumber_Text_IsAcceptedInRange(string text, bool accepted) =>
        ValueFormat.For(typeof(int))!.Accepts(text).ShouldBe(accepted);

    [Fact]
    public void For_TypeOfManyValues_HasNoFormat() => ValueFormat.For(typeof(List<int>)).ShouldBeNull();
}
