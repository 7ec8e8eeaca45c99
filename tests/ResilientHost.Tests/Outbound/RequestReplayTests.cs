using System.Net;
using ResilientHost.Outbound;
using static ResilientHost.Tests.Outbound.HandlerTransport;

namespace ResilientHost.Tests.Outbound;

public sealed class RequestReplayTests
{
    private const int Limit = 4096;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Writer_WhoseBodyCannotBeSent_IsLetGo(bool isSynchronous)
    {
        var content = new WrittenContent(isSynchronous);
        var body = await PrepareAsync(content);

        await Should.ThrowAsync<HttpRequestException>(body.Content!.CopyToAsync(new ResetStream()).WaitAsync(Patience));

        await content.Ended.WaitAsync(Patience);
        content.Written.ShouldBeLessThan(WrittenContent.Chunks);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Writer_WhoseBodyNobodySent_IsLetGo(bool isSynchronous)
    {
        var content = new WrittenContent(isSynchronous);
        var body = await PrepareAsync(content);

        body.Content.ShouldBeOfType<RequestReplayRemainder>().Release();

        await content.Ended.WaitAsync(Patience);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Body_AboveTheLimit_IsNotKeptButSentWhole(bool isSynchronous)
    {
        var content = new WrittenContent(isSynchronous);

        var body = await PrepareAsync(content);

        body.IsReplayable.ShouldBeFalse();
        (content.Written * WrittenContent.ChunkSize).ShouldBeLessThanOrEqualTo(Limit);
        using var sent = new MemoryStream();
        await body.Content!.CopyToAsync(sent).WaitAsync(Patience);
        sent.Length.ShouldBe(WrittenContent.Chunks * WrittenContent.ChunkSize);
    }

    [Fact]
    public async Task Body_WhoseCircuitIsOpen_IsNotRead()
    {
        await using var fixture = new HandlerFixture(new(Answering(HttpStatusCode.OK)), o => o.Retry.MaxReplayBytes = Limit);
        fixture.Authority.CircuitBreaker.Isolate();
        var content = new WrittenContent(isSynchronous: false);

        await Should.ThrowAsync<OutboundRefusedException>(fixture.SendAsync(HttpMethod.Put, content));

        content.HasBegun.ShouldBeFalse();
    }

    private static async Task<RequestReplayBody> PrepareAsync(HttpContent content) =>
        await RequestReplayBody.PrepareAsync(content, Limit, new RequestReplayReader(new ManualTimeProvider(), TimeSpan.FromMinutes(1), CancellationToken.None)).AsTask().WaitAsync(Patience);

    /// <summary>A body of unknown length that heeds no token while it is written.</summary>
    private sealed class WrittenContent(bool isSynchronous) : HttpContent
    {
        public const int Chunks = 64;
        public const int ChunkSize = 1024;

        private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _written;

        public bool HasBegun { get; private set; }

        public int Written => Volatile.Read(ref _written);

        public Task Ended => _ended.Task;

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            HasBegun = true;
            var chunk = new byte[ChunkSize];
            try
            {
                for (var number = 0; number < Chunks; number++)
                {
                    if (isSynchronous)
                    {
                        Write(stream, chunk);
                    }
                    else
                    {
                        await stream.WriteAsync(chunk, CancellationToken.None);
                    }

                    Interlocked.Increment(ref _written);
                }
            }
            finally
            {
                _ended.TrySetResult();
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }

        private static void Write(Stream stream, byte[] chunk) => stream.Write(chunk, 0, chunk.Length);
    }

    /// <summary>A connection that is gone.</summary>
    private sealed class ResetStream : MemoryStream
    {
        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => throw new IOException("The connection was reset.");

        public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => throw new IOException("The connection was reset.");
    }
}
