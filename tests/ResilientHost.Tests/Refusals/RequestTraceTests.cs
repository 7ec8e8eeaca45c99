using System.Text;
using ResilientHost.Refusals;

namespace ResilientHost.Tests.Refusals;

public class RequestTraceTests
{
    [Fact]
    public void Generated_DigitsAndText_AreTheSame32LowerCaseHexDigits()
    {
        Span<byte> digits = stackalloc byte[RequestTrace.Length + 1];
        for (var i = 0; i < 1000; i++)
        {
            var trace = new RequestTrace(new GeneratedTraceId());
            digits.Fill((byte)'!');

            trace.CopyTo(digits);

            trace.ToString().ShouldMatch("^[0-9a-f]{32}$");
            Encoding.ASCII.GetString(digits).ShouldBe($"{trace}!");
        }
    }

    [Fact]
    public void Generated_Many_AreAllDifferentInEveryPart()
    {
        var ids = Enumerable.Range(0, 10_000).Select(_ => new GeneratedTraceId().ToString()).ToList();

        ids.Distinct().Count().ShouldBe(ids.Count);
        ids.Select(id => id[..16]).Distinct().Count().ShouldBe(ids.Count);
        ids.Select(id => id[16..]).Distinct().Count().ShouldBe(ids.Count);
    }

    [Fact]
    public void Generated_AskedTwice_IsTheSameString()
    {
        var id = new GeneratedTraceId();

        id.ToString().ShouldBeSameAs(id.ToString());
    }

    [Fact]
    public void Text_IsCopiedAsItIs()
    {
        const string Text = "0123456789abcdef0123456789abcdef";
        var digits = new byte[RequestTrace.Length];

        new RequestTrace(Text).CopyTo(digits);

        Encoding.ASCII.GetString(digits).ShouldBe(Text);
        new RequestTrace(Text).ToString().ShouldBe(Text);
    }

    [Fact]
    public void CopyTo_TooLittleRoom_Throws()
    {
        Should.Throw<ArgumentException>(() => new RequestTrace(new GeneratedTraceId()).CopyTo(new byte[RequestTrace.Length - 1]));
        Should.Throw<ArgumentException>(() => new RequestTrace(new string('a', RequestTrace.Length)).CopyTo(new byte[RequestTrace.Length - 1]));
    }
}
