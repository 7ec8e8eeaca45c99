using System.Net;
using Microsoft.AspNetCore.Connections;
using ResilientHost.Hosting;

namespace ResilientHost.Connections;

/// <summary>Closes connections that the door does not admit before the server hears of them.</summary>
/// <param name="inner">The transport's listener.</param>
/// <param name="door">Decides.</param>
/// <param name="clock">For the bound on closing.</param>
internal sealed class GuardedListener(IConnectionListener inner, ConnectionDoor door, MonotonicClock clock) : IConnectionListener
{
    private static readonly TimeSpan CloseTimeout = TimeSpan.FromSeconds(1);

    private readonly TaskCompletionSource _unbinding = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public EndPoint EndPoint => inner.EndPoint;

    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        while (true)
        {
            var connection = await NextAsync(cancellationToken);
            if (connection is null || door.Admits())
            {
                return connection;
            }

            await CloseAsync(connection);
        }
    }

    public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        _unbinding.TrySetResult();
        return inner.UnbindAsync(cancellationToken);
    }

    public ValueTask DisposeAsync()
    {
        _unbinding.TrySetResult();
        return inner.DisposeAsync();
    }

    private async ValueTask<ConnectionContext?> NextAsync(CancellationToken cancellationToken)
    {
        while (!_unbinding.Task.IsCompleted)
        {
            if (door.Pause.Over is { } over)
            {
                await Task.WhenAny(over, _unbinding.Task).WaitAsync(cancellationToken);
                continue;
            }

            var pause = door.Pause.Token;
            using var either = cancellationToken.CanBeCanceled ? CancellationTokenSource.CreateLinkedTokenSource(pause, cancellationToken) : null;
            try
            {
                var connection = await inner.AcceptAsync(either?.Token ?? pause);

                // "No more connections" from a transport that says so of every accept that was cancelled would end the listening for good.
                if (connection is not null || !pause.IsCancellationRequested || cancellationToken.IsCancellationRequested)
                {
                    return connection;
                }
            }
            catch (OperationCanceledException) when (pause.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
            {
                // The pause began; the socket goes on listening, and who connects meanwhile waits in the kernel's queue.
            }
        }

        return await inner.AcceptAsync(cancellationToken);
    }

    // Waits until the descriptor is back before the next connection may take one.
    private async ValueTask CloseAsync(ConnectionContext connection)
    {
        try
        {
            connection.Abort(new ConnectionAbortedException("Closed at the door: there is no room for new connections."));
            var closing = connection.DisposeAsync();
            if (!closing.IsCompletedSuccessfully)
            {
                await closing.AsTask().WaitAsync(CloseTimeout, clock.Provider);
            }
        }
        catch (Exception)
        {
            // A connection that cannot even be closed must not end the server's accept loop.
        }
    }
}
