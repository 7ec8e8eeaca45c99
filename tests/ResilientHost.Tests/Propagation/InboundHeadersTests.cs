using Microsoft.AspNetCore.Http;
using ResilientHost.Propagation;

namespace ResilientHost.Tests.Propagation;

public sealed class InboundHeadersTests
{
    public static TheoryData<string> Garbage { get; } =
    [
        "", " ", "-1", "+1", "1.5", "1e3", "1e309", "NaN", "Infinity", "0x10", "1,000", "1, 2", " 5", "5 ", "5ms", "٣", "１２", "²", "\0", "5\0", "null", new string('1', 10_240), new string('9', 40),
    ];

    [Theory, MemberData(nameof(Garbage))]
    public void Headers_Garbage_SaysNothing(string text)
    {
        var headers = new HeaderDictionary { [PropagationHeaders.Deadline] = text, [PropagationHeaders.Attempt] = text };

        InboundHeaders.DeadlineOf(headers).ShouldBeNull();
        InboundHeaders.AttemptOf(headers).ShouldBe(1);
    }

    [Fact]
    public void Headers_SeveralValues_SayNothing()
    {
        var headers = new HeaderDictionary { [PropagationHeaders.Deadline] = new(["5", "5"]), [PropagationHeaders.Attempt] = new(["2", "2"]) };

        InboundHeaders.DeadlineOf(headers).ShouldBeNull();
        InboundHeaders.AttemptOf(headers).ShouldBe(1);
    }

    [Fact]
    public void Headers_None_SayNothing()
    {
        InboundHeaders.DeadlineOf(new HeaderDictionary()).ShouldBeNull();
        InboundHeaders.AttemptOf(new HeaderDictionary()).ShouldBe(1);
    }

    [Theory]
    [InlineData("0", 0)]
    [InlineData("000", 0)]
    [InlineData("1", 1)]
    [InlineData("86400000", 86_400_000)]
    [InlineData("86400001", 86_400_000)]
    [InlineData("999999999", 86_400_000)]
    public void DeadlineOf_WholeMilliseconds_IsThatLongAndADayAtMost(string text, long milliseconds) =>
        InboundHeaders.DeadlineOf(new HeaderDictionary { [PropagationHeaders.Deadline] = text }).ShouldBe(TimeSpan.FromMilliseconds(milliseconds));

    [Fact]
    public void DeadlineOf_TenDigits_SaysNothing() =>
        InboundHeaders.DeadlineOf(new HeaderDictionary { [PropagationHeaders.Deadline] = "1000000000" }).ShouldBeNull();

    [Theory]
    [InlineData("0", 1)]
    [InlineData("00", 1)]
    [InlineData("1", 1)]
    [InlineData("02", 2)]
    [InlineData("99", 99)]
    [InlineData("100", 1)]
    public void AttemptOf_Number_IsThatFrom1To99(string text, int attempt) =>
        InboundHeaders.AttemptOf(new HeaderDictionary { [PropagationHeaders.Attempt] = text }).ShouldBe(attempt);
}
