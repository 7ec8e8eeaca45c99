using System.Net;
using System.Net.Sockets;
using System.Text;

namespace ResilientHost.Benchmarks.Sizes;

/// <summary>The other ends of event streams: bare sockets that read what comes and forget it, so that little of what is measured is theirs.</summary>
internal sealed class OpenPages : IDisposable
{
    private static readonly byte[] Sink = new byte[64 * 1024];
    private readonly List<Socket> _sockets = [];

    /// <exception cref="InvalidOperationException">The server has no place for so many.</exception>
    public OpenPages(Uri server, string path, int count)
    {
        var request = Encoding.ASCII.GetBytes($"GET {path} HTTP/1.1\r\nHost: {server.Authority}\r\n\r\n");
        for (var page = 0; page < count; page++)
        {
            Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            _sockets.Add(socket);
            socket.Connect(IPAddress.Loopback, server.Port);
            socket.Send(request);
            var head = new byte[32];
            var length = socket.Receive(head);
            if (!Encoding.ASCII.GetString(head, 0, length).StartsWith("HTTP/1.1 200", StringComparison.Ordinal))
            {
                throw new InvalidOperationException($"Page {page} of {path} must be open, but: {Encoding.ASCII.GetString(head, 0, length)}");
            }

            _ = ReadAsync(socket);
        }
    }

    public void Dispose() => _sockets.ForEach(static socket => socket.Dispose());

    private static async Task ReadAsync(Socket socket)
    {
        try
        {
            while (await socket.ReceiveAsync(Sink.AsMemory()) > 0)
            {
                // On to the next.
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // The page was closed.
        }
    }
}
