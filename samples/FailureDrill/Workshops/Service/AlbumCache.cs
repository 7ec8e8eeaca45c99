using System.Diagnostics;

namespace FailureDrill.Workshops.Service;

/// <summary>A cache as they are written too often: it has an expiry, and no bound.</summary>
internal sealed class AlbumCache : IDisposable
{
    private const int Pages = 40;
    private const int PageBytes = 50_000;
    private static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(3);

    private readonly Queue<(long At, byte[][] Album)> _albums = new();
    private readonly Timer _expiry;

    public AlbumCache() => _expiry = new Timer(_ => Expire(), state: null, TimeSpan.FromSeconds(0.2), TimeSpan.FromSeconds(0.2));

    /// <summary>Makes an album of two megabytes and keeps it.</summary>
    public void Add()
    {
        var album = new byte[Pages][];
        for (var i = 0; i < Pages; i++)
        {
            album[i] = new byte[PageBytes];
        }

        lock (_albums)
        {
            _albums.Enqueue((Stopwatch.GetTimestamp(), album));
        }
    }

    public void Dispose() => _expiry.Dispose();

    private void Expire()
    {
        lock (_albums)
        {
            while (_albums.TryPeek(out var oldest) && Stopwatch.GetElapsedTime(oldest.At) > Lifetime)
            {
                _albums.Dequeue();
            }
        }
    }
}
