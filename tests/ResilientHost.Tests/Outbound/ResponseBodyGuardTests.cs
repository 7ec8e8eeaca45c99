using System.Net;
using System.Net.Http.Json;
using System.Text;
using ResilientHost.Outbound;

namespace ResilientHost.Tests.Outbound;

public sealed class ResponseBodyGuardTests : IDisposable
{
    private readonly AttemptsUnderTest _under = new();
    private readonly ResponseBodySource _source = new();

    public static TheoryData<HttpStatusCode, string> Bodiless => new()
    {
        { HttpStatusCode.OK, "HEAD" },
        { HttpStatusCode.OK, "CONNECT" },
        { HttpStatusCode.SwitchingProtocols, "GET" },
        { HttpStatusCode.NoContent, "GET" },
        { HttpStatusCode.NotModified, "GET" },
    };

    public static TheoryData<HttpContent> InMemory => new()
    {
        new StringContent(new string('x', 100_000)),
        new ByteArrayContent(new byte[100_000]),
        new ReadOnlyMemoryContent(new byte[100_000]),
        JsonContent.Create(new { a = 1 }),
        new ByteArrayContent([]),
    };

    public void Dispose() => _under.Dispose();

    [Theory]
    [MemberData(nameof(Bodiless))]
    public async Task Guard_OfAResponseWithoutABody_LeavesItsContentAlone(HttpStatusCode status, string method)
    {
        using var response = Response(status: status);
        var content = response.Content;
        await ResponseBodyGuard.GuardAsync(response, _under.Call(new HttpMethod(method)), CancellationToken.None);
        response.Content.ShouldBeSameAs(content);
    }

    [Theory]
    [MemberData(nameof(InMemory))]
    public void Guard_OfAContentInMemory_CompletesAtOnceAndLeavesItAlone(HttpContent content)
    {
        using var response = new HttpResponseMessage { Content = content };
        GuardAsync(response).IsCompletedSuccessfully.ShouldBeTrue();
        response.Content.ShouldBeSameAs(content);
    }

    [Theory]
    [InlineData("text/event-stream")]
    [InlineData("TEXT/Event-Stream; charset=utf-8")]
    [InlineData("application/grpc")]
    [InlineData("application/grpc+proto")]
    [InlineData("application/x-ndjson")]
    [InlineData("application/jsonl")]
    [InlineData("application/json-seq")]
    [InlineData("multipart/x-mixed-replace; boundary=b")]
    public async Task Guard_OfABodyThatIsMeantToPause_LeavesItAlone(string contentType)
    {
        using var response = Response(contentType: contentType);
        var content = response.Content;
        await GuardAsync(response);
        response.Content.ShouldBeSameAs(content);
    }

    [Theory]
    [InlineData("application/json")]
    [InlineData("text/plain")]
    [InlineData("no media type at all")]
    [InlineData(null)]
    public async Task Guard_OfAnotherBodyOfUnknownLength_WatchesIt(string? contentType)
    {
        using var response = Response(contentType: contentType);
        var content = response.Content;
        await GuardAsync(response);
        response.Content.ShouldNotBeSameAs(content);
    }

    [Fact]
    public async Task Guard_OfASmallBody_WaitsUntilItIsThere()
    {
        using var response = Response(length: 10);
        var guard = GuardAsync(response);
        guard.IsCompleted.ShouldBeFalse();
        _source.Give(10);
        _source.End();
        await guard;
        (await response.Content.ReadAsStringAsync()).ShouldBe("xxxxxxxxxx");
        response.Content.Headers.ContentLength.ShouldBe(10);
    }

    [Fact]
    public async Task Guard_OfABodyJustAboveReadAhead_DoesNotWait()
    {
        using var response = Response(length: (64 * 1024) + 1);
        await GuardAsync(response);
        response.Content.ShouldBeOfType<ResponseBodyContent>();
    }

    [Fact]
    public async Task Guard_WithoutReadAhead_DoesNotWait()
    {
        using var under = new AttemptsUnderTest(options => options.ReadAheadBytes = 0);
        using var response = Response(length: 1);
        await ResponseBodyGuard.GuardAsync(response, under.Call(), CancellationToken.None);
        response.Content.ShouldBeOfType<ResponseBodyContent>();
    }

    [Fact]
    public async Task Guard_OfASmallBodyThatBreaksOff_FailsTheAttemptOnly()
    {
        using var response = Response(length: 10);
        _source.Give(3);
        _source.Break(new HttpIOException(HttpRequestError.ResponseEnded));
        var failure = await Should.ThrowAsync<HttpRequestException>(GuardAsync(response));
        OutboundFailures.Of(failure).ShouldBe("response_ended");

        // Whoever makes the attempt tells the circuit.
        _under.Authority.CircuitBreaker.Snapshot().Failures.ShouldBe(0);
    }

    [Fact]
    public async Task Guard_OfASmallBodyThatStalls_EndsWithTheAttempt()
    {
        using var response = Response(length: 10);
        using var attempt = new CancellationTokenSource();
        var guard = ResponseBodyGuard.GuardAsync(response, _under.Call(), attempt.Token).AsTask();
        await attempt.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(guard);
    }

    [Fact]
    public async Task Guard_OfASmallBodyWhoseContentIgnoresTheToken_EndsWithTheAttempt()
    {
        using var source = new ResponseBodySource(heedsTokens: false);
        using var response = Response(length: 10, source: source);
        using var attempt = new CancellationTokenSource();
        var guard = ResponseBodyGuard.GuardAsync(response, _under.Call(), attempt.Token).AsTask();
        await attempt.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(guard);
    }

    [Fact]
    public async Task WatchedContent_KeepsItsHeaders()
    {
        using var response = Response(length: 1_000_000, contentType: "text/plain; charset=utf-8");
        response.Content.Headers.ContentLanguage.Add("de");
        response.Content.Headers.ContentLanguage.Add("en");
        response.Content.Headers.TryAddWithoutValidation("Expires", "never").ShouldBeTrue();
        await GuardAsync(response);
        var headers = response.Content.Headers;
        headers.ContentLength.ShouldBe(1_000_000);
        headers.ContentType!.CharSet.ShouldBe("utf-8");
        headers.ContentLanguage.ShouldBe(["de", "en"]);
        headers.NonValidated["Expires"].ToString().ShouldBe("never");
    }

    [Fact]
    public async Task WatchedContent_GivesItsBodyToEveryWayOfReading()
    {
        (await (await WatchedAsync(3)).ReadAsStringAsync()).ShouldBe("xxx");
        (await (await WatchedAsync(3)).ReadAsByteArrayAsync()).Length.ShouldBe(3);

        using var copy = new MemoryStream();
        await (await WatchedAsync(3)).CopyToAsync(copy);
        copy.Length.ShouldBe(3);

        using var reader = new StreamReader((await WatchedAsync(3)).ReadAsStream(), Encoding.UTF8);
        reader.ReadToEnd().ShouldBe("xxx");

        using var synchronous = new MemoryStream();
        (await WatchedAsync(3)).CopyTo(synchronous, null, CancellationToken.None);
        synchronous.Length.ShouldBe(3);

        var stream = await (await WatchedAsync(2)).ReadAsStreamAsync();
        stream.ReadByte().ShouldBe('x');
        stream.Read(new byte[8], 0, 8).ShouldBe(1);
        (await stream.ReadAsync(new byte[8])).ShouldBe(0);
    }

    [Fact]
    public async Task WatchedContent_ReadAgain_SaysThatItWasRead()
    {
        using var content = await WatchedAsync(3);
        await content.CopyToAsync(Stream.Null);
        await Should.ThrowAsync<InvalidOperationException>(content.CopyToAsync(Stream.Null));
    }

    [Fact]
    public async Task WatchedContent_DisposedInEveryWay_DisposesTheTransport()
    {
        var response = Response();
        await GuardAsync(response);
        var stream = await response.Content.ReadAsStreamAsync();
        await stream.DisposeAsync();
        stream.Dispose();
        response.Dispose();
        response.Dispose();
        _source.Disposed.ShouldBePositive();
    }

    [Fact]
    public async Task WatchedContent_NeverRead_DisposesTheTransport()
    {
        var response = Response();
        await GuardAsync(response);
        response.Dispose();
        _source.Disposed.ShouldBe(1);
    }

    private HttpResponseMessage Response(long? length = null, string? contentType = "text/plain", HttpStatusCode status = HttpStatusCode.OK, Stream? source = null)
    {
        var content = new StreamContent(source ?? _source);
        content.Headers.ContentLength = length;
        if (contentType is not null)
        {
            content.Headers.TryAddWithoutValidation("Content-Type", contentType);
        }

        return new HttpResponseMessage(status) { Content = content };
    }

    private Task GuardAsync(HttpResponseMessage response) => ResponseBodyGuard.GuardAsync(response, _under.Call(), CancellationToken.None).AsTask();

    private async Task<HttpContent> WatchedAsync(int bytes)
    {
        var source = new ResponseBodySource();
        source.Give(bytes);
        source.End();
        var response = Response(source: source);
        await GuardAsync(response);
        return response.Content;
    }
}
