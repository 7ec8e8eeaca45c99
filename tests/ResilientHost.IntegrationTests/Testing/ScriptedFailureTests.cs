namespace ResilientHost.IntegrationTests.Testing;

/// <summary>What an <see cref="HttpClient"/> reports for each failure: the table in the package's README.</summary>
public sealed class ScriptedFailureTests
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);
    private readonly ManualTimeProvider _time = new();

    public static TheoryData<Wire, ScriptedCertificate> Wires => new()
    {
        { Wire.Http1, ScriptedCertificate.None },
        { Wire.Http1, ScriptedCertificate.Valid },
        { Wire.Http2, ScriptedCertificate.None },
        { Wire.Http2, ScriptedCertificate.Valid },
    };

    [Theory]
    [MemberData(nameof(Wires))]
    public async Task Reset_BeforeTheAnswer_IsReported(Wire wire, ScriptedCertificate certificate)
    {
        await using var upstream = await Upstream.StartAsync(wire, certificate: certificate);
        upstream.Server.Default.Replies(ScriptedReply.Reset());

        (await upstream.ErrorAsync("/")).ShouldBe(HttpRequestError.Unknown);
        upstream.Server.RequestCount.ShouldBe(1);
        (await upstream.Server.Requests[0].Ended).ShouldBe(ScriptedEnd.Replied);
    }

    [Theory]
    [MemberData(nameof(Wires))]
    public async Task Reset_InTheMiddle_ComesAfterTheBytesOfTheScript(Wire wire, ScriptedCertificate certificate)
    {
        await using var upstream = await Upstream.StartAsync(wire, _time, certificate);
        upstream.Server.Default.Replies(ScriptedReply.Text("hello").ResetAfter(3).InChunks(2, Hour), ScriptedReply.Text("hello").ResetAfter(3));

        using var response = await upstream.BeginAsync("/");
        response.Content.Headers.ContentLength.ShouldBe(5);
        var (text, error) = await ReadAsync(response);

        text.ShouldBe("hel");
        error.ShouldBeAssignableTo<IOException>();
        (await upstream.ErrorAsync("/")).ShouldBe(HttpRequestError.Unknown);
        _time.ArmedTimers.ShouldBe(0);
    }

    [Theory]
    [MemberData(nameof(Wires))]
    public async Task Truncated_Body_ComesAfterTheBytesOfTheScript(Wire wire, ScriptedCertificate certificate)
    {
        await using var upstream = await Upstream.StartAsync(wire, _time, certificate);
        upstream.Server.Default.Replies(ScriptedReply.Text("hello").TruncatedAfter(3).InChunks(2, Hour), ScriptedReply.Text("hello").TruncatedAfter(3));
        var expected = wire == Wire.Http1 ? HttpRequestError.ResponseEnded : HttpRequestError.HttpProtocolError;

        using var response = await upstream.BeginAsync("/");
        var (text, error) = await ReadAsync(response);

        text.ShouldBe("hel");
        error.ShouldBeAssignableTo<HttpIOException>()!.HttpRequestError.ShouldBe(expected);
        (await upstream.ErrorAsync("/")).ShouldBe(expected);
        _time.ArmedTimers.ShouldBe(0);
    }

    [Theory]
    [InlineData(ScriptedCertificate.None)]
    [InlineData(ScriptedCertificate.Valid)]
    public async Task Cut_OverHttp1WithoutAPause_LosesNoByte(ScriptedCertificate certificate)
    {
        await using var upstream = await Upstream.StartAsync(Wire.Http1, certificate: certificate);
        var body = new string('x', 300_000);
        upstream.Server.Default.RepliesInCycle(ScriptedReply.Text(body).ResetAfter(20_000), ScriptedReply.Text(body).TruncatedAfter(200_000));
        for (var i = 0; i < 10; i++)
        {
            using var response = await upstream.BeginAsync("/");
            var (text, error) = await ReadAsync(response, 8192);
            text.Length.ShouldBe(i % 2 == 0 ? 20_000 : 200_000);
            error.ShouldNotBeNull();
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Cut_BeforeTheFirstByte_SendsTheHeaders(bool reset)
    {
        await using var upstream = await Upstream.StartAsync();
        var reply = ScriptedReply.Text("hello");
        upstream.Server.Default.Replies(reset ? reply.ResetAfter(0) : reply.TruncatedAfter(0));

        using var response = await upstream.BeginAsync("/");
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        var (text, error) = await ReadAsync(response);
        text.ShouldBe("");
        error.ShouldNotBeNull();
    }

    [Theory]
    [InlineData(Wire.Http1, ScriptedCertificate.None, HttpRequestError.InvalidResponse)]
    [InlineData(Wire.Http1, ScriptedCertificate.Valid, HttpRequestError.Unknown)]
    [InlineData(Wire.Http2, ScriptedCertificate.None, HttpRequestError.HttpProtocolError)]
    [InlineData(Wire.Http2, ScriptedCertificate.Valid, HttpRequestError.Unknown)]
    public async Task Garbage_InsteadOfHttp_IsReported(Wire wire, ScriptedCertificate certificate, HttpRequestError expected)
    {
        await using var upstream = await Upstream.StartAsync(wire, certificate: certificate);
        upstream.Server.Default.Replies(ScriptedReply.Garbage());

        // What the client meets first is a race: the bytes that mean nothing, or the end of the connection behind them. The client closes it, too.
        (await upstream.ErrorAsync("/")).ShouldBeOneOf(expected, HttpRequestError.Unknown);
        (await upstream.Server.Requests[0].Ended).ShouldBeOneOf(ScriptedEnd.Replied, ScriptedEnd.ClientGone);
    }

    [Fact]
    public async Task Reset_OfAnHttp2Connection_EndsItsOtherRequestsAndTruncationDoesNot()
    {
        await using var upstream = await Upstream.StartAsync(Wire.Http2);
        upstream.Server.On("GET", "/hang").Replies(ScriptedReply.Hang());
        upstream.Server.On("GET", "/cut").Replies(ScriptedReply.Text("hello").TruncatedAfter(3));
        upstream.Server.On("GET", "/reset").Replies(ScriptedReply.Reset());
        var hanging = upstream.StatusAsync("/hang");
        await upstream.Server.WaitForRequestsAsync(1);

        await upstream.ErrorAsync("/cut");
        hanging.IsCompleted.ShouldBeFalse();
        await upstream.ErrorAsync("/reset");

        await Should.ThrowAsync<HttpRequestException>(() => hanging);
    }

    [Fact]
    public async Task Reset_OnTheWire_IsAResetAndTruncationIsNot()
    {
        await using var server = await ScriptedServer.StartAsync();
        server.On("GET", "/reset").Replies(ScriptedReply.Reset());
        server.On("GET", "/cut").Replies(ScriptedReply.Text("hello").TruncatedAfter(3));
        server.On("GET", "/garbage").Replies(ScriptedReply.Garbage("?!"));

        (await RawAsync(server, "/reset")).ShouldBe("<reset>");
        var cut = await RawAsync(server, "/cut");
        cut.ShouldContain("Content-Length: 5\r\n");
        cut.ShouldEndWith("\r\n\r\nhel");
        (await RawAsync(server, "/garbage")).ShouldStartWith("?!");
    }

    [Theory]
    [OverBothWires]
    public async Task Reset_OfAConnectionUsedBefore_IsNotSentAgainByTheClient(Wire wire)
    {
        await using var upstream = await Upstream.StartAsync(wire);
        upstream.Server.Default.RepliesOnce(ScriptedReply.Status(200), ScriptedReply.Reset(), ScriptedReply.Status(202));

        (await upstream.StatusAsync("/")).ShouldBe(200);
        (await upstream.ErrorAsync("/")).ShouldBe(HttpRequestError.Unknown);
        upstream.Server.RequestCount.ShouldBe(2);
        (await upstream.StatusAsync("/")).ShouldBe(202);
    }

    private static async Task<string> RawAsync(ScriptedServer server, string path)
    {
        using var connection = await RawConnection.OpenAsync(server.Address);
        await connection.SendAsync($"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
        return await connection.ReadToEndAsync();
    }

    private async Task<(string Text, Exception? Error)> ReadAsync(HttpResponseMessage response, int atOnce = 1)
    {
        var text = "";
        try
        {
            await using var body = await response.Content.ReadAsStreamAsync();
            var buffer = new byte[atOnce];
            while (await body.ReadAsync(buffer) is > 0 and var count)
            {
                text += System.Text.Encoding.ASCII.GetString(buffer, 0, count);
                if (text is "he" or "hel")
                {
                    _time.Advance(Hour);
                }
            }

            return (text, null);
        }
        catch (Exception error)
        {
            return (text, error);
        }
    }
}
