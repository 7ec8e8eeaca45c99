using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace ResilientHost.Tests.Outbound;

/// <summary>What a client's own timeout was good for once the headers were there: bodies that the client reads itself.</summary>
public sealed class ResponseBodyTimeTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(100);
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly ResponseBodySource _source = new();

    public static TheoryData<string> Ways => ["string", "bytes", "response", "json"];

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task KillSwitch_BodyThatStalls_EndsWithTheClientsOwnTimeout(string way)
    {
        await using var fixture = Fixture(o => o.Enabled = false, "application/json");
        fixture.CountTimersFromHere();

        var reading = Read(fixture.Client, way);
        fixture.Time.Advance(Limit - Tick);
        reading.IsCompleted.ShouldBeFalse();
        fixture.Time.Advance(Tick);

        var thrown = await Assert.ThrowsAsync<TaskCanceledException>(() => reading.WaitAsync(Patience));
        thrown.Message.ShouldContain("HttpClient.Timeout of 100 seconds");
        thrown.InnerException.ShouldBeOfType<TimeoutException>();
        fixture.Authority.CircuitBreaker.Snapshot().Calls.ShouldBe(0);
        fixture.ShouldHoldNothing();
    }

    [Theory]
    [InlineData("string", "text/plain")]
    [InlineData("bytes", "text/event-stream")]
    [InlineData("response", "application/x-ndjson")]
    [InlineData("json", "application/problem+json")]
    public async Task Layers_BodyThatStallsWithoutAMinimumRate_EndsWithTheClientsOwnTimeout(string way, string mediaType)
    {
        await using var fixture = Fixture(o => o.MinimumBodyRate = null, mediaType);
        fixture.CountTimersFromHere();

        var reading = Read(fixture.Client, way);
        fixture.Time.Advance(Limit - Tick);
        reading.IsCompleted.ShouldBeFalse();
        fixture.Time.Advance(Tick);

        var refused = await Should.ThrowAsync<OutboundRefusedException>(reading.WaitAsync(Patience));
        refused.Refusal.ShouldBe(new Refusal(RefusalReason.Timeout, "http:pricing", null));
        refused.InnerException.ShouldBeOfType<TimeoutException>();
        fixture.Authority.CircuitBreaker.Snapshot().Failures.ShouldBe(1);
        fixture.ShouldHoldNothing();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Body_ThatTrickles_EndsWithTheClientsOwnTimeoutFromTheCallsBegin(bool enabled)
    {
        await using var fixture = Fixture(o => (o.Enabled, o.MinimumBodyRate) = (enabled, null), "text/plain");

        var reading = fixture.Client.GetByteArrayAsync(HandlerFixture.Address);
        for (var second = 1; second < 100; second++)
        {
            fixture.Time.Advance(TimeSpan.FromSeconds(1));
            _source.Give(300);
        }

        reading.IsCompleted.ShouldBeFalse();
        fixture.Time.Advance(TimeSpan.FromSeconds(1));
        _source.Give(300);

        await Should.ThrowAsync<Exception>(reading.WaitAsync(Patience));
        reading.IsCompleted.ShouldBeTrue();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Stream_ThatTheApplicationReads_MayTakeAsLongAsItLikes(bool enabled)
    {
        await using var fixture = Fixture(o => (o.Enabled, o.MinimumBodyRate) = (enabled, null), "text/plain");
        using var caller = new CancellationTokenSource();

        var body = await fixture.Client.GetStreamAsync(HandlerFixture.Address, caller.Token);
        var read = body.ReadAsync(new byte[10], caller.Token).AsTask();
        fixture.Time.Advance(TimeSpan.FromDays(1));
        _source.Give(3);

        (await read.WaitAsync(Patience)).ShouldBe(3);
    }

    [Fact]
    public async Task Body_ThatTheApplicationBuffersLater_HasTheWholeTimeFromThen()
    {
        await using var fixture = Fixture(o => o.Enabled = false, "text/plain");
        using var response = await fixture.GetAsync();
        fixture.Time.Advance(TimeSpan.FromSeconds(99));

        var reading = response.Content.ReadAsStringAsync();
        fixture.Time.Advance(Limit - Tick);
        reading.IsCompleted.ShouldBeFalse();
        fixture.Time.Advance(Tick);

        await Assert.ThrowsAsync<TaskCanceledException>(() => reading.WaitAsync(Patience));
    }

    [Fact]
    public async Task Request_ThatAsksForMoreTime_GetsItForTheBodyToo()
    {
        await using var fixture = Fixture(o => o.MinimumBodyRate = null, "text/plain");
        var request = new HttpRequestMessage(HttpMethod.Get, HandlerFixture.Address).WithResilience(new() { TotalTimeout = TimeSpan.FromMinutes(10) });

        var sending = fixture.Client.SendAsync(request);
        fixture.Time.Advance(TimeSpan.FromMinutes(10) - Tick);
        sending.IsCompleted.ShouldBeFalse();
        fixture.Time.Advance(Tick);

        await Should.ThrowAsync<OutboundRefusedException>(sending.WaitAsync(Patience));
    }

    [Fact]
    public async Task Body_ThatComesInTime_IsReadAndLeavesNoTimer()
    {
        await using var fixture = Fixture(o => o.Enabled = false, "text/plain");
        fixture.CountTimersFromHere();

        var reading = fixture.Client.GetStringAsync(HandlerFixture.Address);
        fixture.Time.Advance(Limit - Tick);
        _source.Give(5);
        _source.End();

        (await reading.WaitAsync(Patience)).ShouldBe("xxxxx");
        fixture.ShouldHoldNothing();
    }

    [Fact]
    public async Task Body_ReadOnAThreadThatWaits_EndsToo()
    {
        await using var fixture = Fixture(o => o.Enabled = false, "text/plain");
        fixture.CountTimersFromHere();

        var sending = Task.Factory.StartNew(
            () => fixture.Client.Send(new HttpRequestMessage(HttpMethod.Get, HandlerFixture.Address)), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        SpinWait.SpinUntil(() => _source.Reads == 1, Patience).ShouldBeTrue();
        fixture.Time.Advance(Limit);

        await Assert.ThrowsAsync<TaskCanceledException>(() => sending.WaitAsync(Patience));
        fixture.ShouldHoldNothing();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Handler_UsedWithoutAClient_LeavesBodiesAlone(bool enabled)
    {
        var services = new ServiceCollection();
        var time = new ManualTimeProvider();
        services.AddSingleton<TimeProvider>(time);
        services.AddResilienceLayers(new ConfigurationBuilder().Build());
        services.AddHttpClient("grpc").AddResilienceLayers(configure: o => (o.Enabled, o.MinimumBodyRate) = (enabled, null))
            .ConfigurePrimaryHttpMessageHandler(() => new HandlerTransport((_, _) => Task.FromResult(new HttpResponseMessage(HttpStatusCode.OK) { Content = new StreamContent(_source) })));
        await using var provider = services.BuildServiceProvider();
        using var invoker = new HttpMessageInvoker(provider.GetRequiredService<IHttpMessageHandlerFactory>().CreateHandler("grpc"), disposeHandler: false);
        using var call = new CancellationTokenSource();

        using var response = await invoker.SendAsync(new HttpRequestMessage(HttpMethod.Get, HandlerFixture.Address), call.Token);
        var body = await response.Content.ReadAsStreamAsync(call.Token);
        var read = body.ReadAsync(new byte[10], call.Token).AsTask();
        time.Advance(TimeSpan.FromDays(1));
        _source.Give(3);

        (await read.WaitAsync(Patience)).ShouldBe(3);
    }

    private static Task Read(HttpClient client, string way) => way switch
    {
        "string" => client.GetStringAsync(HandlerFixture.Address),
        "bytes" => client.GetByteArrayAsync(HandlerFixture.Address),
        "json" => client.GetFromJsonAsync<JsonElement>(HandlerFixture.Address),
        _ => client.GetAsync(HandlerFixture.Address),
    };

    private HandlerFixture Fixture(Action<HttpClientResilienceOptions> options, string mediaType) => new(
        new((_, _) =>
        {
            var response = new HttpResponseMessage(HttpStatusCode.OK) { Content = new StreamContent(_source) };
            response.Content.Headers.ContentType = new(mediaType);
            return Task.FromResult(response);
        }),
        options);
}
