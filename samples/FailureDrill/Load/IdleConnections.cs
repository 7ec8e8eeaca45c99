using System.Net.Sockets;

namespace FailureDrill.Load;

/// <summary>Connections on which nobody says anything: each costs the server a file descriptor.</summary>
internal sealed class IdleConnections : IDisposable
{
    private readonly List<Socket> _sockets = [];

    /// <summary>Opens so many; one that is refused counts as opened, for whoever does this does not care.</summary>
    public async Task OpenAsync(Uri address, int count, TimeSpan within, CancellationToken cancellationToken)
    {
        const int AtOnce = 20;
        for (var i = 0; i < count; i += AtOnce)
        {
            for (var j = 0; j < Math.Min(AtOnce, count - i); j++)
            {
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
                _sockets.Add(socket);
                try
                {
                    await socket.ConnectAsync(address.Host, address.Port, cancellationToken);
                }
                catch (SocketException)
                {
                    // The server is gone, or takes no more.
                }
            }

            await Task.Delay(within / Math.Max(1, count / AtOnce), cancellationToken);
        }
    }

    public void Dispose() => _sockets.ForEach(socket => socket.Dispose());
}
