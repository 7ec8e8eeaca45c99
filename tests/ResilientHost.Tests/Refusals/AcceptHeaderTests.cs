using Microsoft.Extensions.Primitives;
using ResilientHost.Refusals;

namespace ResilientHost.Tests.Refusals;

public class AcceptHeaderTests
{
    [Theory]
    [InlineData(null, true)]
    [InlineData("", true)]
    [InlineData("*/*", true)]
    [InlineData("application/json", true)]
    [InlineData("APPLICATION/JSON; charset=utf-8", true)]
    [InlineData("application/problem+json", true)]
    [InlineData("application/vnd.company.v2+json", true)]
    [InlineData("application/*+json", true)]
    [InlineData("application/*", true)]
    [InlineData("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", true)]
    [InlineData("text/plain, application/json;q=0.1", true)]
    [InlineData("text/plain", false)]
    [InlineData("text/*", false)]
    [InlineData("text/html", false)]
    [InlineData("application/xml", false)]
    [InlineData("application/jsonp", false)]
    [InlineData("text/json+application", false)]
    [InlineData("application/json;q=0", false)]
    [InlineData("application/json;q=0.000", false)]
    [InlineData("*/*;q=0", false)]
    [InlineData("application/*;q=0, */*", false)]
    [InlineData("application/json;q=0, application/problem+json;q=0, */*", false)]
    [InlineData("application/json;profile=\"a,b;q=0\";q=0.5", true)]
    [InlineData("text/plain;x=\"application/json\"", false)]
    [InlineData("text/plain;x=\"unclosed, application/json", false)]
    [InlineData(",,, ,", true)]
    [InlineData("garbage", true)]
    [InlineData("/", true)]
    [InlineData("application/", true)]
    [InlineData("application/json;q=abc", true)]
    [InlineData("application/json;q=abc, text/plain", false)]
    [InlineData("application/json;q=2, text/plain", false)]
    [InlineData("application/json;q=-1, text/plain", false)]
    [InlineData("\0\u0001;;;=\"\\", true)]
    public void AllowsJson_Header_FollowsRfc9110AndNeverThrows(string? header, bool expected) =>
        AcceptHeader.AllowsJson(new StringValues(header)).ShouldBe(expected);

    [Fact]
    public void AllowsJson_SeveralHeaderLines_ReadsThemAsOneList()
    {
        AcceptHeader.AllowsJson(new StringValues(["text/plain", "application/json"])).ShouldBeTrue();
        AcceptHeader.AllowsJson(new StringValues(["text/plain", "text/html"])).ShouldBeFalse();
    }

    [Fact]
    public void AllowsJson_RandomBytes_NeverThrow()
    {
        var random = new Random(7);
        const string Alphabet = "ap/j*+;,=q01.\"\\ \t";
        for (var i = 0; i < 5000; i++)
        {
            var text = new string([.. Enumerable.Range(0, random.Next(40)).Select(_ => Alphabet[random.Next(Alphabet.Length)])]);
            Should.NotThrow(() => AcceptHeader.AllowsJson(text));
        }
    }
}
