using System.Buffers;
using System.Collections.Concurrent;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using ResilientHost.Fallbacks;

namespace ResilientHost.Tests.Fallbacks;

public sealed class ReplayableRequestBodyTests
{
    private readonly CountingPool _pool = new();
    private readonly DefaultHttpContext _context = new();

    private HttpRequest Request => _context.Request;

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(5_000)]
    [InlineData(ReplayableRequestBody.MaxBytes)]
    public async Task Body_ReadToItsEnd_IsReplayedWhole(int length)
    {
        var sent = Body(length, contentLength: null);
        var body = Attach();
        (await ReadAsync(Request.Body)).ShouldBe(sent);

        body.IsReplayable.ShouldBeTrue();
        body.Replay();

        (await ReadAsync(Request.Body)).ShouldBe(sent);
        body.Detach();
        _pool.Held.ShouldBe(0);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2_999)]
    public async Task Body_ReadInPart_IsReplayedWithTheRest(int read)
    {
        var sent = Body(3_000);
        var body = Attach();
        await Request.Body.ReadExactlyAsync(new byte[read]);

        body.Replay();

        (await ReadAsync(Request.Body)).ShouldBe(sent);
    }

    [Theory]
    [InlineData(false, true)]
    [InlineData(true, false)]
    public async Task Body_ThatTheServerCannotReadOn_IsBrokenUnlessTheRequestIsBad(bool isBad, bool isBroken)
    {
        Request.Body = new FailingStream(isBad ? new BadHttpRequestException("too slow") : new IOException("reset"));
        var body = Attach();

        await Should.ThrowAsync<IOException>(() => Request.Body.ReadExactlyAsync(new byte[1]).AsTask());

        body.IsBroken.ShouldBe(isBroken);
    }

    [Fact]
    public async Task Body_ReadThroughItsReader_IsReplayedThroughTheReader()
    {
        var sent = Body(20_000);
        var body = Attach();
        var first = await Request.BodyReader.ReadAsync();
        Request.BodyReader.AdvanceTo(first.Buffer.GetPosition(10));

        body.Replay();

        (await ReadAsync(Request.BodyReader.AsStream())).ShouldBe(sent);
    }

    [Fact]
    public async Task Body_WhoseReaderWasHeldBefore_IsReplayedThroughANewOne()
    {
        var sent = Body(100);
        _ = Request.BodyReader;
        var body = Attach();
        (await ReadAsync(Request.BodyReader.AsStream(leaveOpen: true))).ShouldBe(sent);

        body.Replay();

        (await ReadAsync(Request.BodyReader.AsStream())).ShouldBe(sent);
    }

    [Theory]
    [InlineData("Read")]
    [InlineData("Read array")]
    [InlineData("ReadByte")]
    [InlineData("ReadAsync array")]
    [InlineData("BeginRead")]
    [InlineData("CopyToAsync")]
    [InlineData("StreamReader")]
    public async Task Body_HoweverItIsRead_IsReplayed(string how)
    {
        var sent = Body(300);
        var body = Attach();
        await ReadAsync(Request.Body, how);

        body.Replay();

        (await ReadAsync(Request.Body, how)).ShouldBe(sent);
    }

    [Fact]
    public async Task Body_OfMoreThanTheLimit_IsReadAsEverButNotReplayed()
    {
        var sent = Body(ReplayableRequestBody.MaxBytes + 1, contentLength: null);
        var body = Attach();

        (await ReadAsync(Request.Body)).ShouldBe(sent);

        body.IsReplayable.ShouldBeFalse();
        _pool.Held.ShouldBe(0);
        Should.Throw<InvalidOperationException>(body.Replay);
        body.Detach();
        _pool.Returned.ShouldBe(_pool.Rented);
    }

    [Fact]
    public void Body_ThatAnnouncesMoreThanTheLimit_IsLeftAlone()
    {
        Body(ReplayableRequestBody.MaxBytes + 1);
        var before = Request.Body;

        ReplayableRequestBody.Attach(_context, _pool).ShouldBeNull();

        Request.Body.ShouldBeSameAs(before);
    }

    [Fact]
    public void Body_ThatNobodyReads_TakesNoArray()
    {
        Body(100);

        var body = Attach();
        body.IsReplayable.ShouldBeTrue();
        body.Detach();

        _pool.Rented.ShouldBe(0);
    }

    [Fact]
    public async Task Body_OfKnownLength_TakesOneArrayAndGivesItBackOnce()
    {
        Body(60_000);
        var body = Attach();
        await ReadAsync(Request.Body);
        body.Replay();
        await ReadAsync(Request.Body);

        body.Detach();
        body.Detach();

        (_pool.Rented, _pool.Returned).ShouldBe((1, 1));
    }

    [Fact]
    public async Task Detach_PutsTheOriginalBack_AndClosesWhatWasKept()
    {
        Body(100);
        var original = Request.Body;
        var body = Attach();
        await body.ReadExactlyAsync(new byte[10]);
        body.Replay();
        var replay = Request.Body;

        body.Detach();

        Request.Body.ShouldBeSameAs(original);
        Should.Throw<ObjectDisposedException>(() => replay.ReadByte());
        Should.Throw<ObjectDisposedException>(() => body.ReadByte());
        body.IsReplayable.ShouldBeFalse();
    }

    [Fact]
    public void EndpointThatWasGivenUpOn_CannotReadBesideItsFallback()
    {
        Body(100);
        var body = Attach();

        body.Replay();

        Should.Throw<ObjectDisposedException>(() => body.ReadByte());
    }

    [Fact]
    public async Task Body_ThatIsBeingRead_IsNotReplayable()
    {
        var gate = new TaskCompletionSource<int>();
        Request.Body = new GatedStream(gate.Task);
        var body = Attach();

        var reading = body.ReadAsync(new byte[10]).AsTask();

        body.IsReplayable.ShouldBeFalse();
        gate.SetResult(0);
        await reading;
        body.IsReplayable.ShouldBeTrue();
    }

    [Fact]
    public async Task Read_ThatEndsAfterDetach_WritesIntoNoArrayOfAnother()
    {
        var gate = new TaskCompletionSource<int>();
        Request.Body = new GatedStream(gate.Task);
        var body = Attach();
        var reading = body.ReadAsync(new byte[10]).AsTask();

        body.Detach();
        gate.SetResult(10);
        await reading;

        _pool.Held.ShouldBe(0);
    }

    [Fact]
    public async Task Body_ThatMiddlewareMadeSeekable_IsReadAgainFromWhereItStood()
    {
        var sent = Enumerable.Range(0, 100).Select(static index => (byte)index).ToArray();
        var buffered = new MemoryStream(sent);
        buffered.Position = 10;
        Request.Body = buffered;
        var body = Attach();
        Request.Body.CanSeek.ShouldBeTrue();
        await ReadAsync(Request.Body, "StreamReader");
        Request.Body.Position = 50;

        body.IsReplayable.ShouldBeTrue();
        body.Replay();

        (await ReadAsync(Request.Body)).ShouldBe(sent[10..]);
        _pool.Rented.ShouldBe(0);
    }

    [Fact]
    public void SeekableBody_OfMoreThanTheLimitOrDisposed_IsNotReplayable()
    {
        Request.Body = new MemoryStream(new byte[ReplayableRequestBody.MaxBytes + 1]);
        Attach().IsReplayable.ShouldBeFalse();

        var disposed = new MemoryStream();
        Request.Body = disposed;
        var body = Attach();
        disposed.Dispose();
        body.IsReplayable.ShouldBeFalse();
    }

    [Fact]
    public async Task Form_ThatFailedHalfRead_IsReadAnewByTheFallback()
    {
        var bytes = Encoding.UTF8.GetBytes("name=value");
        var stream = new FailingOnceStream(bytes);
        Request.Body = stream;
        Request.ContentType = "application/x-www-form-urlencoded";
        var body = Attach();
        await Should.ThrowAsync<IOException>(() => Request.ReadFormAsync());

        body.Replay();

        (await Request.ReadFormAsync())["name"].ToString().ShouldBe("value");
    }

    [Fact]
    public async Task Form_ThatWasRead_IsThereForTheFallback()
    {
        Request.Body = new OneWayStream(Encoding.UTF8.GetBytes("name=value"));
        Request.ContentType = "application/x-www-form-urlencoded";
        var body = Attach();
        var form = await Request.ReadFormAsync();

        body.Replay();

        (await Request.ReadFormAsync()).ShouldBeSameAs(form);
    }

    [Fact]
    public async Task ReadOfNothing_SaysNothingOfTheEnd()
    {
        var sent = Body(10);
        var body = Attach();
        (await Request.Body.ReadAsync(Memory<byte>.Empty)).ShouldBe(0);
        await Request.Body.ReadExactlyAsync(new byte[5]);

        body.Replay();

        (await Request.Body.ReadAsync(Memory<byte>.Empty)).ShouldBe(0);
        (await ReadAsync(Request.Body)).ShouldBe(sent);
    }

    private static async Task<byte[]> ReadAsync(Stream stream, string how = "CopyToAsync")
    {
        using var all = new MemoryStream();
        var chunk = new byte[64];
        Func<byte[], int, int, CancellationToken, Task<int>> readArray = stream.ReadAsync;
        if (how == "CopyToAsync")
        {
            await stream.CopyToAsync(all);
            return all.ToArray();
        }

        if (how == "StreamReader")
        {
            using var reader = new StreamReader(stream, Encoding.Latin1);
            return Encoding.Latin1.GetBytes(await reader.ReadToEndAsync());
        }

        while (true)
        {
            var count = how switch
            {
                "Read" => stream.Read(chunk.AsSpan()),
                "Read array" => stream.Read(chunk, 0, chunk.Length),
                "ReadByte" => ReadOne(stream, chunk),
                "ReadAsync array" => await readArray(chunk, 0, chunk.Length, CancellationToken.None),
                _ => await Task.Factory.FromAsync(stream.BeginRead, stream.EndRead, chunk, 0, chunk.Length, state: null),
            };
            if (count == 0)
            {
                return all.ToArray();
            }

            all.Write(chunk, 0, count);
        }
    }

    private static int ReadOne(Stream stream, byte[] chunk)
    {
        var value = stream.ReadByte();
        chunk[0] = unchecked((byte)value);
        return value < 0 ? 0 : 1;
    }

    private byte[] Body(int length, long? contentLength = -1)
    {
        var bytes = new byte[length];
        new Random(length).NextBytes(bytes);
        Request.Body = new OneWayStream(bytes);
        Request.ContentLength = contentLength == -1 ? length : contentLength;
        return bytes;
    }

    private ReplayableRequestBody Attach() => ReplayableRequestBody.Attach(_context, _pool).ShouldNotBeNull();

    private sealed class CountingPool : ArrayPool<byte>
    {
        private readonly ConcurrentDictionary<byte[], bool> _held = new();

        public int Rented { get; private set; }

        public int Returned { get; private set; }

        public int Held => _held.Count;

        public override byte[] Rent(int minimumLength)
        {
            Rented++;
            var array = new byte[minimumLength];
            _held[array] = true;
            return array;
        }

        public override void Return(byte[] array, bool clearArray = false)
        {
            _held.TryRemove(array, out _).ShouldBeTrue("An array came back that was not out.");
            Returned++;
        }
    }

    // As a server's: read once, and not in the pieces that the reader would like.
    private class OneWayStream(byte[] bytes) : MemoryStream(bytes)
    {
        public override bool CanSeek => false;

        public override int Read(byte[] buffer, int offset, int count) => base.Read(buffer, offset, Math.Min(count, 1_000));

        public override int Read(Span<byte> buffer) => base.Read(buffer[..Math.Min(buffer.Length, 1_000)]);

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => new(Read(buffer.Span));

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => Task.FromResult(Read(buffer, offset, count));
    }

    private sealed class FailingOnceStream(byte[] bytes) : OneWayStream(bytes)
    {
        private int _reads;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            ++_reads == 2 ? ValueTask.FromException<int>(new IOException("Once.")) : new(Read(buffer.Span[..Math.Min(buffer.Length, 4)]));
    }

    private sealed class GatedStream(Task<int> gate) : MemoryStream
    {
        public override bool CanSeek => false;

        public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => await gate;
    }

    private sealed class FailingStream(IOException failure) : MemoryStream
    {
        public override bool CanSeek => false;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => throw failure;
    }
}
