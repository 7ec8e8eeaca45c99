using System.Net.Sockets;
using System.Text;

namespace FailureDrill.Load;

/// <summary>How a connection ended.</summary>
internal enum ConnectionEnd
{
    /// <summary>As at the end of a whole answer.</summary>
    Clean,

    /// <summary>Reset: whatever arrived is not to be trusted.</summary>
    Reset,
}

/// <summary>
/// A caller that speaks HTTP/1.0, as many reverse proxies do to their backends by default. It knows the end of a body by the
/// end of the connection alone, so a clean end makes half an answer look whole, and cacheable.
/// </summary>
internal static class OldProxy
{
    public static async Task<ConnectionEnd> GetAsync(Uri address, string path, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(TimeSpan.FromSeconds(4));
        using var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(address.Host, address.Port, limit.Token);
            await socket.SendAsync(Encoding.ASCII.GetBytes($"GET {path} HTTP/1.0\r\nHost: {address.Authority}\r\n\r\n"), limit.Token);
            var buffer = new byte[4096];
            while (await socket.ReceiveAsync(buffer, limit.Token) > 0)
            {
            }

            return ConnectionEnd.Clean;
        }
        catch (SocketException)
        {
            return ConnectionEnd.Reset;
        }
    }
}
