using System.Net;
using System.Threading.Channels;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http.Features;

namespace ResilientHost.Tests.Connections;

/// <summary>A transport whose connections come when a test says so.</summary>
internal sealed class ScriptedTransport : IConnectionListenerFactory, IConnectionListener
{
    private readonly Channel<ConnectionContext> _arrivals = Channel.CreateUnbounded<ConnectionContext>();
    private int _accepts;

    public EndPoint EndPoint { get; private set; } = new IPEndPoint(IPAddress.Loopback, 0);

    /// <summary>Times that a connection was asked for.</summary>
    public int Accepts => Volatile.Read(ref _accepts);

    /// <summary>Answers "no more connections" to a cancelled accept, as transports may that know no other way out.</summary>
    public bool EndsWhenCancelled { get; init; }

    public Exception? Error { get; set; }

    public bool IsUnbound { get; private set; }

    public bool IsDisposed { get; private set; }

    public void Arrive(params ReadOnlySpan<ConnectionContext> connections)
    {
        foreach (var connection in connections)
        {
            _arrivals.Writer.TryWrite(connection);
        }
    }

    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        EndPoint = endpoint;
        return new(this);
    }

    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        Interlocked.Increment(ref _accepts);
        if (Error is { } error)
        {
            throw error;
        }

        try
        {
            return await _arrivals.Reader.ReadAsync(cancellationToken);
        }
        catch (ChannelClosedException)
        {
            return null;
        }
        catch (OperationCanceledException) when (EndsWhenCancelled)
        {
            return null;
        }
    }

    public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        IsUnbound = true;
        _arrivals.Writer.TryComplete();
        return default;
    }

    public ValueTask DisposeAsync()
    {
        IsDisposed = true;
        _arrivals.Writer.TryComplete();
        return default;
    }

    /// <summary>A connection that remembers how it ended.</summary>
    internal sealed class Connection : DefaultConnectionContext
    {
        public bool IsAborted { get; private set; }

        public bool IsDisposed { get; private set; }

        public Task? Closing { get; init; }

        public Exception? AbortError { get; init; }

        public override void Abort(ConnectionAbortedException abortReason)
        {
            IsAborted = true;
            if (AbortError is { } error)
            {
                throw error;
            }
        }

        public override async ValueTask DisposeAsync()
        {
            IsDisposed = true;
            await (Closing ?? Task.CompletedTask);
            await base.DisposeAsync();
        }
    }
}
