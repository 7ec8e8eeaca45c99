using Microsoft.AspNetCore.Connections;
using ResilientHost.Connections;

namespace ResilientHost.Tests.Connections;

public sealed class GuardedListenerTests : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly DoorUnderTest _test = new();
    private readonly ScriptedTransport _transport = new();
    private readonly GuardedListener _listener;

    public GuardedListenerTests() => _listener = new GuardedListener(_transport, _test.Door, _test.Clock);

    public async ValueTask DisposeAsync()
    {
        await _listener.DisposeAsync();
        _test.Dispose();
    }

    [Fact]
    public async Task Accept_Admitted_HandsOverTheConnectionItself()
    {
        await using var connection = new ScriptedTransport.Connection();
        _transport.Arrive(connection);

        (await AcceptAsync()).ShouldBeSameAs(connection);

        connection.IsAborted.ShouldBeFalse();
        _listener.EndPoint.ShouldBeSameAs(_transport.EndPoint);
    }

    [Fact]
    public async Task Accept_NotAdmitted_ClosesItAndWaitsForTheNext()
    {
        _test.Descriptors.Left = 20;
        await using var refused = new ScriptedTransport.Connection();
        await using var admitted = new ScriptedTransport.Connection();
        _transport.Arrive(refused);
        var accept = AcceptAsync();
        await TakenAsync(2);
        (refused.IsAborted, refused.IsDisposed).ShouldBe((true, true));

        _test.Descriptors.Left = 900;
        _transport.Arrive(admitted);

        (await accept).ShouldBeSameAs(admitted);
    }

    [Fact]
    public async Task Accept_ConnectionCannotBeClosed_GoesOn()
    {
        _test.Descriptors.Left = 20;
        await using var refused = new ScriptedTransport.Connection { AbortError = new InvalidOperationException() };
        await using var admitted = new ScriptedTransport.Connection();
        _transport.Arrive(refused);
        var accept = AcceptAsync();
        await TakenAsync(2);

        _test.Descriptors.Left = 900;
        _transport.Arrive(admitted);

        (await accept).ShouldBeSameAs(admitted);
    }

    [Fact]
    public async Task Accept_ConnectionNeverCloses_GoesOnAfterASecond()
    {
        _test.Descriptors.Left = 20;
        var never = new TaskCompletionSource();
        await using var refused = new ScriptedTransport.Connection { Closing = never.Task };
        await using var admitted = new ScriptedTransport.Connection();
        _transport.Arrive(refused, admitted);
        var accept = AcceptAsync();
        _test.Descriptors.Left = 900;
        accept.IsCompleted.ShouldBeFalse();

        _test.Time.Advance(TimeSpan.FromSeconds(1));

        (await accept).ShouldBeSameAs(admitted);
        never.SetResult();
    }

    [Fact]
    public async Task Accept_Paused_AsksForNoConnection()
    {
        _test.Descriptors.Left = 2;
        _test.Door.Look();
        await using var connection = new ScriptedTransport.Connection();
        _transport.Arrive(connection);

        var accept = AcceptAsync();
        _transport.Accepts.ShouldBe(0);
        accept.IsCompleted.ShouldBeFalse();

        _test.Descriptors.Left = 900;
        _test.Door.Look();
        (await accept).ShouldBeSameAs(connection);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Accept_PauseBegins_IsTakenBackAndGoesOnAfterIt(bool endsWhenCancelled)
    {
        var transport = new ScriptedTransport { EndsWhenCancelled = endsWhenCancelled };
        await using var listener = new GuardedListener(transport, _test.Door, _test.Clock);
        var accept = listener.AcceptAsync(TestContext.Current.CancellationToken).AsTask();
        transport.Accepts.ShouldBe(1);
        _test.Descriptors.Left = 2;
        _test.Door.Look();
        await using var connection = new ScriptedTransport.Connection();
        transport.Arrive(connection);
        accept.IsCompleted.ShouldBeFalse();

        _test.Descriptors.Left = 900;
        _test.Door.Look();

        (await accept.WaitAsync(Patience, TestContext.Current.CancellationToken)).ShouldBeSameAs(connection);
        transport.Accepts.ShouldBe(2);
    }

    [Fact]
    public async Task Unbind_WhilePaused_EndsTheListening()
    {
        _test.Descriptors.Left = 2;
        _test.Door.Look();
        var accept = AcceptAsync();

        await _listener.UnbindAsync(TestContext.Current.CancellationToken);

        (await accept).ShouldBeNull();
        _transport.IsUnbound.ShouldBeTrue();
    }

    [Fact]
    public async Task Unbind_PauseBeginsAfterwards_StillEndsTheListening()
    {
        await _listener.UnbindAsync(TestContext.Current.CancellationToken);
        _test.Descriptors.Left = 2;
        _test.Door.Look();

        (await AcceptAsync()).ShouldBeNull();
    }

    [Fact]
    public async Task Dispose_ReachesTheTransport()
    {
        await _listener.DisposeAsync();

        _transport.IsDisposed.ShouldBeTrue();
        (await AcceptAsync()).ShouldBeNull();
    }

    [Theory]
    [InlineData(900)]
    [InlineData(2)]
    public async Task Accept_CallerCancels_Throws(int left)
    {
        _test.Descriptors.Left = left;
        _test.Door.Look();
        using var cancellation = new CancellationTokenSource();
        var accept = _listener.AcceptAsync(cancellation.Token).AsTask();

        await cancellation.CancelAsync();

        await Should.ThrowAsync<OperationCanceledException>(() => accept.WaitAsync(Patience));
    }

    [Fact]
    public async Task Accept_TransportThrows_IsTheServersToHear()
    {
        _transport.Error = new IOException("broken");

        (await Should.ThrowAsync<IOException>(AcceptAsync)).ShouldBeSameAs(_transport.Error);
    }

    private Task<ConnectionContext?> AcceptAsync() => _listener.AcceptAsync().AsTask().WaitAsync(Patience);

    private async Task TakenAsync(int accepts)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (_transport.Accepts < accepts)
        {
            patience.IsCancellationRequested.ShouldBeFalse();
            await Task.Yield();
        }
    }
}
