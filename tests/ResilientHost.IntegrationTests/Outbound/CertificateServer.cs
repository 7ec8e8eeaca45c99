using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;

namespace ResilientHost.IntegrationTests.Outbound;

/// <summary>A TLS listener on loopback that shows the certificate it is told to, answers every request with 200, and counts handshakes that clients began.</summary>
internal sealed class CertificateServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _accepting;
    private int _handshakes;
    private int _connections;
    private int _requests;

    public CertificateServer(ShownCertificate certificates)
    {
        Certificates = certificates;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    /// <summary>What is shown; may change between handshakes.</summary>
    public ShownCertificate Certificates { get; set; }

    public SslProtocols Protocols { get; set; } = SslProtocols.None;

    /// <summary>Answers bytes that are no TLS.</summary>
    public bool IsPlain { get; set; }

    /// <summary>Ends each connection after one answer.</summary>
    public bool ClosesAfterAnswer { get; set; }

    /// <summary>What is answered after <c>HTTP/1.1 </c>, up to the headers' end.</summary>
    public string Answer { get; set; } = "200 OK\r\nContent-Length: 2\r\n";

    /// <summary>Handshakes wait for it.</summary>
    public TaskCompletionSource? Gate { get; set; }

    /// <summary>Client hellos that arrived.</summary>
    public int Handshakes => Volatile.Read(ref _handshakes);

    public int Connections => Volatile.Read(ref _connections);

    public int Requests => Volatile.Read(ref _requests);

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public Uri Address => new($"https://localhost:{Port}/");

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        _listener.Stop();
        await _accepting;
        _stopping.Dispose();
    }

    private async Task AcceptAsync()
    {
        var serving = new List<Task>();
        try
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync(_stopping.Token);
                Interlocked.Increment(ref _connections);
                serving.Add(ServeAsync(client));
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or SocketException or ObjectDisposedException)
        {
        }

        await Task.WhenAll(serving);
    }

    private async Task ServeAsync(TcpClient client)
    {
        using var owned = client;
        try
        {
            if (IsPlain)
            {
                _ = await client.GetStream().ReadAtLeastAsync(new byte[1], 1, cancellationToken: _stopping.Token);
                await client.GetStream().WriteAsync("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"u8.ToArray(), _stopping.Token);
                return;
            }

            await using var stream = new SslStream(client.GetStream());
            await stream.AuthenticateAsServerAsync(
                async (_, _, _, token) =>
                {
                    Interlocked.Increment(ref _handshakes);
                    if (Gate is { } gate)
                    {
                        await gate.Task.WaitAsync(token);
                    }

                    return new SslServerAuthenticationOptions { ServerCertificateContext = Certificates.Context, EnabledSslProtocols = Protocols };
                },
                null,
                _stopping.Token);
            await AnswerAsync(stream);
        }
        catch (Exception exception) when (exception is OperationCanceledException or IOException or AuthenticationException or ObjectDisposedException)
        {
            // The client left, or did not like what it saw.
        }
    }

    private async Task AnswerAsync(SslStream stream)
    {
        using var reader = new StreamReader(stream, Encoding.ASCII, leaveOpen: true);
        while (await reader.ReadLineAsync(_stopping.Token) is { } line)
        {
            if (line.Length > 0)
            {
                continue;
            }

            Interlocked.Increment(ref _requests);
            await stream.WriteAsync(Encoding.ASCII.GetBytes($"HTTP/1.1 {Answer}\r\n{(Answer.StartsWith('2') ? "ok" : "")}"), _stopping.Token);
            if (ClosesAfterAnswer)
            {
                return;
            }
        }
    }
}
