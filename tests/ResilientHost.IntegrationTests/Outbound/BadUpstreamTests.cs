using System.Net.Sockets;

namespace ResilientHost.IntegrationTests.Outbound;

/// <summary>What upstreams send that they should not: contained, and in bounded time and memory.</summary>
[Collection(nameof(LeakTests))] // What the process allocates is measured.
public sealed class BadUpstreamTests
{
    private const string Name = "pricing";

    [Fact]
    public async Task BodyOfAGigabyte_IsStreamed_NotKept()
    {
        const long Length = 1L << 30;
        await using var upstream = new BadUpstream(async (_, stream, cancellationToken) =>
        {
            var block = new byte[1 << 20];
            await BadUpstream.WriteAsync(stream, $"HTTP/1.1 200 OK\r\nContent-Length: {Length}\r\n\r\n", cancellationToken);
            for (var sent = 0L; sent < Length; sent += block.Length)
            {
                await stream.WriteAsync(block, cancellationToken);
            }
        });
        await using var service = await StartAsync();
        var before = GC.GetTotalAllocatedBytes();
        using var response = await ClientOf(service).GetAsync(upstream.Address, HttpCompletionOption.ResponseHeadersRead);
        await using var body = await response.Content.ReadAsStreamAsync();
        var buffer = new byte[1 << 16];
        var received = 0L;
        for (int bytes; (bytes = await body.ReadAsync(buffer)) > 0; received += bytes)
        {
        }

        received.ShouldBe(Length);
        (GC.GetTotalAllocatedBytes() - before).ShouldBeLessThan(Length / 4);
    }

    [Fact]
    public async Task EndlessHeaders_AreCutOff_AndNotAskedForAgain()
    {
        await using var upstream = new BadUpstream(async (_, stream, cancellationToken) =>
        {
            await BadUpstream.WriteAsync(stream, "HTTP/1.1 200 OK\r\n", cancellationToken);
            while (true)
            {
                await BadUpstream.WriteAsync(stream, $"X-{Guid.NewGuid():N}: {new string('x', 1000)}\r\n", cancellationToken);
            }
        });
        await using var service = await StartAsync();
        (await Should.ThrowAsync<HttpRequestException>(ClientOf(service).GetAsync(upstream.Address))).HttpRequestError.ShouldBe(HttpRequestError.ConfigurationLimitExceeded);
        upstream.Requests.ShouldBe(1);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task TricklingBody_IsGivenUp(bool isSynchronous)
    {
        await using var upstream = new BadUpstream((_, stream, cancellationToken) => TrickleAsync(stream, 1_000_000, cancellationToken));
        await using var service = await StartAsync(options =>
        {
            options.AttemptTimeout = TimeSpan.FromSeconds(1);
            options.MinimumBodyRate = 100_000;
        });
        using var response = await ClientOf(service).GetAsync(upstream.Address, HttpCompletionOption.ResponseHeadersRead);
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        await using var body = await response.Content.ReadAsStreamAsync();
        var reading = isSynchronous
            ? Task.Factory.StartNew(() => body.CopyTo(Stream.Null), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default)
            : body.CopyToAsync(Stream.Null);
        (await Should.ThrowAsync<HttpIOException>(reading.WaitAsync(TestService.Patience))).Message.ShouldContain("slower than 100000 bytes per second");
        service.Metrics.Sum(ResilienceDiagnostics.Instruments.OutboundBodyFailures, (ResilienceDiagnostics.Tags.OutboundFailure, "body_too_slow")).ShouldBe(1);
    }

    [Fact]
    public async Task TricklingBody_ThatWouldBeSmall_IsATimedOutAttempt()
    {
        await using var upstream = new BadUpstream((_, stream, cancellationToken) => TrickleAsync(stream, 1_000, cancellationToken));
        await using var service = await StartAsync(options =>
        {
            options.AttemptTimeout = TimeSpan.FromMilliseconds(300);
            options.Retry.MaxAttempts = 1;
        });
        var refused = await Should.ThrowAsync<OutboundRefusedException>(ClientOf(service).GetAsync(upstream.Address, HttpCompletionOption.ResponseHeadersRead));
        refused.Refusal.Reason.ShouldBe(RefusalReason.Timeout);
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhal")]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n")]
    [InlineData("garbage\r\n\r\n")]
    public async Task TruncatedSmallBody_IsAFailedAttempt_AndMadeAgain(string answer)
    {
        await using var upstream = new BadUpstream((request, stream, cancellationToken) =>
            BadUpstream.WriteAsync(stream, request == 1 ? answer : "HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\ngood", cancellationToken));
        await using var service = await StartAsync(options => options.Retry.Delay = TimeSpan.Zero);
        (await ClientOf(service).GetStringAsync(upstream.Address)).ShouldBe("good");
        upstream.Requests.ShouldBe(2);
    }

    [Theory]
    [InlineData("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nhal")]
    [InlineData("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n5\r\nwo")]
    public async Task TruncatedBody_FailsItsReader_AndCountsAsAFailedCall(string answer)
    {
        await using var upstream = new BadUpstream((_, stream, cancellationToken) => BadUpstream.WriteAsync(stream, answer, cancellationToken));
        await using var service = await StartAsync();
        await Should.ThrowAsync<HttpRequestException>(ClientOf(service).GetStringAsync(upstream.Address));
        service.Metrics.Sum(ResilienceDiagnostics.Instruments.OutboundBodyFailures, (ResilienceDiagnostics.Tags.OutboundFailure, "response_ended")).ShouldBe(1);
        upstream.Requests.ShouldBe(1);
    }

    [Fact]
    public async Task ResetBody_FailsItsReader_AndCountsAsAFailedCall()
    {
        await using var upstream = new BadUpstream(async (_, stream, cancellationToken) =>
        {
            await BadUpstream.WriteAsync(stream, "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nhal", cancellationToken);
            ((NetworkStream)stream).Socket.LingerState = new LingerOption(enable: true, seconds: 0);
        });
        await using var service = await StartAsync();
        await Should.ThrowAsync<HttpRequestException>(ClientOf(service).GetByteArrayAsync(upstream.Address));
        service.Metrics.Sum(ResilienceDiagnostics.Instruments.OutboundBodyFailures).ShouldBe(1);
    }

    [Fact]
    public async Task RedirectLoop_EndsWithTheTransportsLimit_AndIsNotMadeAgain()
    {
        await using var upstream = new BadUpstream((_, stream, cancellationToken) =>
            BadUpstream.WriteAsync(stream, "HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", cancellationToken));
        await using var service = await StartAsync();
        using var response = await ClientOf(service).GetAsync(upstream.Address);
        response.StatusCode.ShouldBe(HttpStatusCode.Redirect);
        upstream.Requests.ShouldBe(51);
        service.Metrics.Sum(ResilienceDiagnostics.Instruments.OutboundAttempts).ShouldBe(1);
    }

    private static async Task TrickleAsync(Stream stream, int length, CancellationToken cancellationToken)
    {
        await BadUpstream.WriteAsync(stream, $"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n", cancellationToken);
        using var pace = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (await pace.WaitForNextTickAsync(cancellationToken))
        {
            await BadUpstream.WriteAsync(stream, "x", cancellationToken);
        }
    }

    private static Task<TestService> StartAsync(Action<HttpClientResilienceOptions>? configure = null) => TestService.StartAsync(new TestServiceSetup
    {
        Builder = builder => builder.Services.AddHttpClient(Name).AddResilienceLayers(configure: configure),
    });

    private static HttpClient ClientOf(TestService service) => service.Services.GetRequiredService<IHttpClientFactory>().CreateClient(Name);
}
