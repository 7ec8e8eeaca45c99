using System.Text;
using ResilientHost.Signals;

namespace ResilientHost.Tests.Signals;

public class KernelTextTests
{
    [Theory]
    [InlineData("42\n", true, 42)]
    [InlineData("  \t42 rest", true, 42)]
    [InlineData("-1\n", true, -1)]
    [InlineData("9223372036854775807\n", true, long.MaxValue)]
    [InlineData("9223372036854775808\n", false, 0)]
    [InlineData("42", false, 0)]
    [InlineData("42x\n", false, 0)]
    [InlineData("4.2\n", false, 0)]
    [InlineData("max\n", false, 0)]
    [InlineData("\n42\n", false, 0)]
    [InlineData("", false, 0)]
    public void TryNumber_Text_TakesWholeNumbersThatSomethingBlankEnds(string text, bool expected, long value)
    {
        KernelText.TryNumber(Encoding.UTF8.GetBytes(text), out var number).ShouldBe(expected);
        number.ShouldBe(value);
    }

    [Fact]
    public void Line_WordThatOtherLinesStartWith_IsTheFirstOfItsOwn() =>
        Encoding.UTF8.GetString(KernelText.Line("oom_kill 2\noom 3\noom 4\n"u8, "oom "u8)).ShouldBe("3\n");

    [Fact]
    public void NumberAfter_AnyPrefixOfAFile_IsTheNumberOrUnknown()
    {
        var text = Encoding.UTF8.GetBytes("some avg10=0.13 avg60=1.33 avg300=0.52 total=24344501\nfull avg10=0.13 avg60=1.33 avg300=0.52 total=10016774\n");
        for (var length = 0; length <= text.Length; length++)
        {
            KernelText.NumberAfter(KernelText.Line(text.AsSpan(0, length), "full "u8), " total="u8).ShouldBe(length == text.Length ? 10016774 : -1);
        }
    }

    [Fact]
    public void Parsers_RandomBytes_NeverThrow()
    {
        var random = new Random(4711);
        var alphabet = "0123456789-+. \n\tmaxsofulltotal=\0\xff"u8.ToArray();
        for (var round = 0; round < 20_000; round++)
        {
            var text = random.GetItems(alphabet, random.Next(64));
            KernelText.NumberAfter(KernelText.Line(text, "full "u8), "total="u8).ShouldBeGreaterThanOrEqualTo(-1);
            KernelText.TryNumber(text, out _);
            KernelText.StartsWithWord(text, "max"u8);
        }
    }
}
