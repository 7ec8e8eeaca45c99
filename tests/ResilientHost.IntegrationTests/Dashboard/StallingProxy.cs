using System.Net.Sockets;

namespace ResilientHost.IntegrationTests.Dashboard;

/// <summary>Passes connections on, until those that are open fall silent without an end, as behind a gateway that forgot them.</summary>
internal sealed class StallingProxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _disposed = new();
    private readonly int _target;
    private readonly Task _accepting;
    private volatile TaskCompletionSource _era = new();

    public StallingProxy(int target)
    {
        _target = target;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public string Address => $"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}";

    /// <summary>From now on nothing passes over the connections that are open; new ones work.</summary>
    public void Stall() => Interlocked.Exchange(ref _era, new()).SetResult();

    public async ValueTask DisposeAsync()
    {
        await _disposed.CancelAsync();
        _listener.Stop();
        await _accepting;
        _disposed.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                _ = PassAsync(await _listener.AcceptTcpClientAsync(_disposed.Token));
            }
        }
        catch (Exception error) when (error is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // Disposed.
        }
    }

    private async Task PassAsync(TcpClient from)
    {
        using (from)
        using (var to = new TcpClient())
        {
            var stalled = _era.Task;
            try
            {
                await to.ConnectAsync(IPAddress.Loopback, _target, _disposed.Token);
                await Task.WhenAny(PassAsync(from, to, stalled), PassAsync(to, from, stalled));
                if (stalled.IsCompleted)
                {
                    await Task.Delay(Timeout.Infinite, _disposed.Token);
                }
            }
            catch (Exception error) when (error is OperationCanceledException or SocketException)
            {
                // Disposed, or nobody there.
            }
        }
    }

    private async Task PassAsync(TcpClient from, TcpClient to, Task stalled)
    {
        var buffer = new byte[8192];
        try
        {
            while (await from.GetStream().ReadAsync(buffer, _disposed.Token) is > 0 and var count)
            {
                if (stalled.IsCompleted)
                {
                    return;
                }

                await to.GetStream().WriteAsync(buffer.AsMemory(0, count), _disposed.Token);
            }
        }
        catch (Exception error) when (error is OperationCanceledException or IOException or ObjectDisposedException)
        {
            // One side is gone.
        }
    }
}
