using System.Net.Sockets;
using System.Text;

namespace ResilientHost.IntegrationTests.Fixture;

/// <summary>A TCP connection that sends and receives bytes as they are.</summary>
public sealed class RawConnection : IDisposable
{
    private readonly Socket _socket;

    private RawConnection(Socket socket) => _socket = socket;

    public static async Task<RawConnection> OpenAsync(Uri address)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, address.Port);
        return new RawConnection(socket);
    }

    public async Task SendAsync(string text) => await _socket.SendAsync(Encoding.Latin1.GetBytes(text));

    /// <summary>Sends a request without a body that asks for the connection to be closed, and reads to the end.</summary>
    public async Task<string> RequestAsync(string method, string path, params string[] headers)
    {
        var lines = string.Concat(headers.Select(header => header + "\r\n"));
        await SendAsync($"{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{lines}\r\n");
        return await ReadToEndAsync();
    }

    /// <summary>Everything up to and including what is waited for.</summary>
    public async Task<string> ReadUntilAsync(string end)
    {
        using var patience = new CancellationTokenSource(TestService.Patience);
        var text = new StringBuilder();
        var buffer = new byte[1];
        while (!text.ToString().EndsWith(end, StringComparison.Ordinal) && await _socket.ReceiveAsync(buffer, patience.Token) > 0)
        {
            text.Append((char)buffer[0]);
        }

        return text.ToString();
    }

    /// <summary>Everything up to the end of the connection, which may be a reset.</summary>
    public async Task<string> ReadToEndAsync()
    {
        using var patience = new CancellationTokenSource(TestService.Patience);
        var text = new StringBuilder();
        var buffer = new byte[8192];
        try
        {
            while (await _socket.ReceiveAsync(buffer, patience.Token) is > 0 and var count)
            {
                text.Append(Encoding.UTF8.GetString(buffer, 0, count));
            }
        }
        catch (SocketException)
        {
            text.Append("<reset>");
        }

        return text.ToString();
    }

    /// <summary>Leaves as a crashed client does: with a reset.</summary>
    public void Reset()
    {
        _socket.LingerState = new LingerOption(enable: true, seconds: 0);
        _socket.Close();
    }

    public void Dispose() => _socket.Dispose();
}
