using System.Collections.Concurrent;
using System.Globalization;

namespace ResilientHost.Outbound;

/// <summary>The timeouts that clients were given before their layers took over, by the client's name for the factory. Thread-safe.</summary>
internal sealed class HttpClientTimeouts
{
    private readonly ConcurrentDictionary<string, HttpClientTimeout> _timeouts = new(StringComparer.Ordinal);

    public HttpClientTimeout Of(string client) => _timeouts.GetOrAdd(client, static _ => new());
}

/// <summary>What a client's <see cref="HttpClient.Timeout"/> was. Thread-safe; the latest client of the name has its say.</summary>
internal sealed class HttpClientTimeout
{
    private long _ticks = TimeSpan.FromSeconds(100).Ticks;
    private volatile bool _isTakenOver;

    /// <summary><see langword="null"/>: infinite. 100 s, as of any client, until one was made.</summary>
    public TimeSpan? Value => Interlocked.Read(ref _ticks) is var ticks and >= 0 ? new TimeSpan(ticks) : null;

    /// <summary>Whether there is a client. Where only its handler is used (gRPC, proxies) nobody reads bodies but the application, and no timeout ever covered them.</summary>
    public bool IsTakenOver => _isTakenOver;

    /// <summary>What the client itself throws when its timeout is over.</summary>
    public static TaskCanceledException Elapsed(TimeSpan limit, Exception? cause, CancellationToken cancellationToken) => new(
        string.Create(CultureInfo.InvariantCulture, $"The request was canceled due to the configured HttpClient.Timeout of {limit.TotalSeconds} seconds elapsing."),
        new TimeoutException(cause?.Message ?? "The response's body did not come in time.", cause),
        cancellationToken);

    /// <summary>Takes the timeout's place.</summary>
    public void TakeOver(HttpClient client)
    {
        Interlocked.Exchange(ref _ticks, client.Timeout.Ticks);
        _isTakenOver = true;
        client.Timeout = Timeout.InfiniteTimeSpan;
    }
}
