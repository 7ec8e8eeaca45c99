using System.IO.Pipelines;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using ResilientHost.Refusals;
using ResilientHost.Tests.Recovery;

namespace ResilientHost.Tests.Refusals;

public class ProblemBufferTests
{
    private static readonly Refusal Open = new(RefusalReason.CircuitOpen, "checkout", TimeSpan.FromSeconds(86_400));

    [Theory]
    [InlineData(1)]
    [InlineData(512)]
    [InlineData(100_000)]
    public void Take_AnyLength_HasRoomForIt(int length)
    {
        var buffer = ProblemBuffer.Take(length);
        ProblemBuffer.GiveBack(buffer);

        buffer.Length.ShouldBeGreaterThanOrEqualTo(length);
        ProblemBuffer.Take(length).ShouldBeSameAs(buffer);
        ProblemBuffer.Take(length).ShouldNotBeSameAs(buffer);
    }

    [Fact]
    public void Take_LongerThanTheIdleOne_IsAnother()
    {
        ProblemBuffer.GiveBack(new byte[512]);

        ProblemBuffer.Take(513).Length.ShouldBeGreaterThanOrEqualTo(513);
    }

    [Fact]
    public async Task WriteAsync_ClientThatReadsLate_KeepsItsBodyWhileOthersAreRefused()
    {
        using var host = new RecoveryHost();
        var late = new LateBody();
        var first = host.Request();
        first.Context.Features.Set<IHttpResponseBodyFeature>(late);

        var answer = host.Refusals.WriteAsync(first.Context, Open, new ResponseBaseline());
        for (var i = 0; i < 3; i++)
        {
            var other = host.Request();
            (await IsWrittenAsync(host, other)).ShouldBeTrue();
        }

        answer.IsCompleted.ShouldBeFalse();
        late.Read();
        await answer;
        late.Text.ShouldContain(RequestIdentity.TraceIdOf(first.Context));
        late.Text.Length.ShouldBe((int)first.Headers.ContentLength!);
    }

    [Fact]
    public async Task WriteAsync_WriterThatThrows_CostsTheNextNothing()
    {
        using var host = new RecoveryHost();
        var broken = host.Request();
        broken.Context.Features.Set<IHttpResponseBodyFeature>(new LateBody { Throws = true });

        await Should.ThrowAsync<InvalidOperationException>(async () => await host.Refusals.WriteAsync(broken.Context, Open, new ResponseBaseline()));

        var next = host.Request();
        (await IsWrittenAsync(host, next)).ShouldBeTrue();
    }

    private static async Task<bool> IsWrittenAsync(RecoveryHost host, FakeRequest request)
    {
        await host.Refusals.WriteAsync(request.Context, Open, new ResponseBaseline());
        return request.Json.GetProperty("traceId").GetString() == RequestIdentity.TraceIdOf(request.Context) && request.BodyText.Length == request.Headers.ContentLength;
    }

    /// <summary>Reads what it is to write when it is told to, as a writer may that is not done at once.</summary>
    private sealed class LateBody : PipeWriter, IHttpResponseBodyFeature
    {
        private readonly TaskCompletionSource<FlushResult> _done = new();
        private ReadOnlyMemory<byte> _source;

        public bool Throws { get; init; }

        public string Text { get; private set; } = string.Empty;

        public Stream Stream => Stream.Null;

        public PipeWriter Writer => this;

        public void Read()
        {
            Text = Encoding.UTF8.GetString(_source.Span);
            _done.SetResult(default);
        }

        public override ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> source, CancellationToken cancellationToken = default)
        {
            if (Throws)
            {
                throw new InvalidOperationException("test");
            }

            _source = source;
            return new(_done.Task);
        }

        public override void Advance(int bytes) => throw new NotSupportedException();

        public override void CancelPendingFlush()
        {
        }

        public override void Complete(Exception? exception = null)
        {
        }

        public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public override Memory<byte> GetMemory(int sizeHint = 0) => throw new NotSupportedException();

        public override Span<byte> GetSpan(int sizeHint = 0) => throw new NotSupportedException();

        public void DisableBuffering()
        {
        }

        public Task StartAsync(CancellationToken cancellationToken = default) => Task.CompletedTask;

        public Task SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public Task CompleteAsync() => Task.CompletedTask;
    }
}
