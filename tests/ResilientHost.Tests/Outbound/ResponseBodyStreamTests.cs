using ResilientHost.Outbound;

namespace ResilientHost.Tests.Outbound;

public sealed class ResponseBodyStreamTests : IDisposable
{
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(10);

    private readonly AttemptsUnderTest _under = new(options => options.MinimumBodyRate = 100);
    private readonly byte[] _buffer = new byte[100_000];
    private ResponseBodySource _source = new();

    public void Dispose() => _under.Dispose();

    [Fact]
    public async Task Body_ThatStalls_EndsAfterTheGrace_AndCountsAsAFailedCall()
    {
        await using var body = await BodyAsync();
        var read = ReadAsync(body);
        _under.Time.Advance(Grace - TimeSpan.FromMilliseconds(1));
        read.IsCompleted.ShouldBeFalse();
        _under.Time.Advance(TimeSpan.FromMilliseconds(1));
        var slow = await Should.ThrowAsync<HttpIOException>(read);
        slow.Message.ShouldContain("'http:pricing' came slower than 100 bytes per second");
        Failures.ShouldBe(1);
        _under.Metrics.Sum("resilient_host.outbound.body_failures", ("resilient_host.outbound.failure", "body_too_slow")).ShouldBe(1);
    }

    [Fact]
    public async Task Body_ThatStalledOnce_IsCountedOnce_AndStaysEnded()
    {
        await using var body = await BodyAsync();
        var read = ReadAsync(body);
        _under.Time.Advance(Grace);
        await Should.ThrowAsync<HttpIOException>(read);
        _source.Give(1);
        await Should.ThrowAsync<HttpIOException>(ReadAsync(body));
        Failures.ShouldBe(1);
    }

    [Fact]
    public async Task Body_ThatTrickles_EndsAlthoughEachReadIsShort()
    {
        await using var body = await BodyAsync();
        for (var second = 1; second <= 10; second++)
        {
            var read = ReadAsync(body);
            _under.Time.Advance(TimeSpan.FromSeconds(1));
            _source.Give(1);
            (await read).ShouldBe(1);
        }

        var last = ReadAsync(body);
        _under.Time.Advance(TimeSpan.FromSeconds(1));
        (await Should.ThrowAsync<HttpIOException>(last)).Message.ShouldContain("slower");
    }

    [Fact]
    public async Task Body_ThatNobodyReads_MayTakeAsLongAsItLikes()
    {
        await using var body = await BodyAsync();
        var read = ReadAsync(body);
        _source.Give(10);
        await read;
        _under.Time.Advance(TimeSpan.FromDays(1));
        _source.Give(10);
        (await ReadAsync(body)).ShouldBe(10);
        Failures.ShouldBe(0);
    }

    [Fact]
    public async Task Body_AtTheRate_IsReadToItsEnd_AndLeavesNoTimer()
    {
        await using (var body = await BodyAsync())
        {
            for (var second = 0; second < 100; second++)
            {
                var read = ReadAsync(body);
                _under.Time.Advance(TimeSpan.FromSeconds(1));
                _source.Give(100);
                (await read).ShouldBe(100);
            }

            _source.End();
            (await ReadAsync(body)).ShouldBe(0);
        }

        _under.Time.ArmedTimers.ShouldBe(0);
        Failures.ShouldBe(0);
    }

    [Fact]
    public async Task Body_WithoutAMinimumRate_MayStallForever()
    {
        using var under = new AttemptsUnderTest(options => options.MinimumBodyRate = null);
        using var response = new HttpResponseMessage { Content = new StreamContent(_source) };
        await ResponseBodyGuard.GuardAsync(response, under.Call(), CancellationToken.None);
        var read = ReadAsync(await response.Content.ReadAsStreamAsync());
        under.Time.ArmedTimers.ShouldBe(0);
        under.Time.Advance(TimeSpan.FromDays(1));
        _source.Give(1);
        (await read).ShouldBe(1);
    }

    [Fact]
    public async Task Body_ThatBreaksOff_GivesTheTransportsException_AndCountsOnce()
    {
        await using var body = await BodyAsync();
        var broken = new HttpIOException(HttpRequestError.ResponseEnded);
        _source.Break(broken);
        _source.Break(broken);
        (await Should.ThrowAsync<HttpIOException>(ReadAsync(body))).ShouldBeSameAs(broken);
        await Should.ThrowAsync<HttpIOException>(ReadAsync(body));
        Failures.ShouldBe(1);
        _under.Metrics.Sum("resilient_host.outbound.body_failures", ("resilient_host.outbound.failure", "response_ended")).ShouldBe(1);
    }

    [Fact]
    public async Task Body_OfAReaderThatLeaves_CountsNothing_AndCanBeReadOn()
    {
        await using var body = await BodyAsync();
        using var reader = new CancellationTokenSource();
        var read = body.ReadAsync(_buffer, reader.Token).AsTask();
        await reader.CancelAsync();
        (await Should.ThrowAsync<OperationCanceledException>(read)).CancellationToken.ShouldBe(reader.Token);
        _source.Give(5);
        (await ReadAsync(body)).ShouldBe(5);
        Failures.ShouldBe(0);
    }

    [Fact]
    public async Task Body_OfAReaderThatLeavesAsItsBytesCome_CanBeReadOn()
    {
        _source.HeedsTokens = false;
        await using var body = await BodyAsync();
        using var reader = new CancellationTokenSource();
        var read = body.ReadAsync(_buffer, reader.Token).AsTask();
        await reader.CancelAsync();
        _source.Give(5);
        (await read).ShouldBe(5);

        _source.HeedsTokens = true;
        _source.Give(7);
        (await ReadAsync(body)).ShouldBe(7);
        Failures.ShouldBe(0);
    }

    [Fact]
    public async Task Body_OfAReaderThatHasLeftBefore_IsNotRead()
    {
        await using var body = await BodyAsync();
        await Should.ThrowAsync<OperationCanceledException>(body.ReadAsync(_buffer, new CancellationToken(canceled: true)).AsTask());
        Failures.ShouldBe(0);
    }

    [Fact]
    public async Task Body_DisposedBeneathItsOwnRead_CountsNothing()
    {
        var body = await BodyAsync();
        var read = ReadAsync(body);
        await body.DisposeAsync();
        await Should.ThrowAsync<IOException>(read);
        Failures.ShouldBe(0);
        _under.Time.ArmedTimers.ShouldBe(0);
    }

    [Fact]
    public async Task Body_WhoseTransportIgnoresTokens_IsClosedBeneathItsRead()
    {
        _source = new(heedsTokens: false);
        await using var body = await BodyAsync();
        var read = ReadAsync(body);
        _under.Time.Advance(Grace);
        read.IsCompleted.ShouldBeFalse();
        _under.Time.Advance(ResponseBodyWatch.AbortDelay);
        await Should.ThrowAsync<HttpIOException>(read);
        Failures.ShouldBe(1);
    }

    [Fact]
    public async Task Body_ReadOnAThreadThatWaits_IsClosedBeneathIt()
    {
        await using var body = await BodyAsync();
        var read = Task.Factory.StartNew(() => body.Read(_buffer, 0, 10), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        SpinWait.SpinUntil(() => _under.Time.ArmedTimers == 1, TimeSpan.FromSeconds(20)).ShouldBeTrue();
        _under.Time.Advance(Grace);
        await Should.ThrowAsync<HttpIOException>(read);
        Failures.ShouldBe(1);
    }

    [Fact]
    public async Task Body_OfAnOpenCircuit_TellsItNothing()
    {
        var breaker = _under.Authority.CircuitBreaker;
        for (var i = 0; i < 3; i++)
        {
            breaker.TryEnter(out var permit, out _).ShouldBeTrue();
            breaker.Exit(permit, CallOutcome.Failed);
        }

        breaker.State.ShouldBe(CircuitState.Open);
        await using var body = await BodyAsync();
        _source.Break(new IOException("gone"));
        await Should.ThrowAsync<IOException>(ReadAsync(body));
        breaker.State.ShouldBe(CircuitState.Open);
        _under.Client.CircuitBreaker.Refused.ShouldBe(0);
    }

    [Fact]
    public async Task Body_WhoseBytesAreThere_AllocatesNothing()
    {
        await using var body = new ResponseBodyStream(new MemoryStream(new byte[1_000_000]), null!, new ResponseBodyWatch(_under.Clock, new(240, Grace, _under.Clock), () => { }));
        Memory<byte> buffer = _buffer.AsMemory(0, 100);
        var read = 0;

        AllocatedBytes.Of(Read).ShouldBe(0);
        read.ShouldBe(200_000);
        _under.Time.ArmedTimers.ShouldBe(0);

        void Read()
        {
            for (var i = 0; i < 1000; i++)
            {
                var reading = body.ReadAsync(buffer);
                read += reading.IsCompletedSuccessfully ? reading.Result : 0;
            }
        }
    }

    private int Failures => _under.Authority.CircuitBreaker.Snapshot().Failures;

    private Task<int> ReadAsync(Stream body) => body.ReadAsync(_buffer).AsTask();

    private async Task<Stream> BodyAsync()
    {
        var response = new HttpResponseMessage { Content = new StreamContent(_source) };
        await ResponseBodyGuard.GuardAsync(response, _under.Call(), CancellationToken.None);
        return await response.Content.ReadAsStreamAsync();
    }
}
