using System.Text;
using ResilientHost.WorkItems;

namespace ResilientHost.Tests.WorkItems;

public sealed class JournaledChannelLineTests
{
    [Theory]
    [InlineData(1, "{\"a\":1}")]
    [InlineData(long.MaxValue, "null")]
    [InlineData(7, "")]
    public void Of_ItemOrFinished_IsParsedBack(long id, string json)
    {
        var line = JournaledChannelLine.Of(id, Encoding.UTF8.GetBytes(json));

        line[^1].ShouldBe((byte)'\n');
        line.Length.ShouldBeLessThanOrEqualTo(json.Length + JournaledChannelLine.Overhead);
        JournaledChannelLine.TryParse(line.AsSpan(..^1), out var parsed, out var text).ShouldBeTrue();
        parsed.ShouldBe(id);
        Encoding.UTF8.GetString(text).ShouldBe(json);
    }

    [Fact]
    public void Of_IndentedJson_IsOneLine() => JournaledChannelLine.Of(1, "{\n  \"a\": 1\n}"u8).Count(value => value == '\n').ShouldBe(1);

    [Fact]
    public void TryParse_OfAnyFlippedBitOrCut_IsFalse()
    {
        var line = JournaledChannelLine.Of(123, "{\"a\":1}"u8).AsSpan(..^1).ToArray();
        for (var bit = 0; bit < line.Length * 8; bit++)
        {
            var flipped = line.ToArray();
            flipped[bit / 8] ^= (byte)(1 << (bit % 8));
            JournaledChannelLine.TryParse(flipped, out _, out _).ShouldBeFalse($"bit {bit}");
        }

        for (var length = 0; length < line.Length; length++)
        {
            JournaledChannelLine.TryParse(line.AsSpan(..length), out _, out _).ShouldBeFalse($"cut to {length}");
        }
    }
}
