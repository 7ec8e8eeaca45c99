using System.Diagnostics;

namespace FailureDrill.Workshops.Service;

/// <summary>A cache of pages as caches are written too often: with an expiry, and without a bound.</summary>
internal sealed class AlbumCache : IDisposable
{
    private const int PagesOfAlbum = 400;
    private const int PageBytes = 5_000;
    private static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(3);

    private readonly Queue<(long At, byte[] Page)> _pages = new();
    private readonly Timer _expiry;

    public AlbumCache() => _expiry = new Timer(_ => Expire(), state: null, TimeSpan.FromSeconds(0.2), TimeSpan.FromSeconds(0.2));

    /// <summary>Makes the pages of an album, two megabytes, and keeps them.</summary>
    public void Add()
    {
        for (var i = 0; i < PagesOfAlbum; i++)
        {
            var page = new byte[PageBytes];
            lock (_pages)
            {
                _pages.Enqueue((Stopwatch.GetTimestamp(), page));
            }
        }
    }

    public void Dispose() => _expiry.Dispose();

    private void Expire()
    {
        lock (_pages)
        {
            while (_pages.TryPeek(out var oldest) && Stopwatch.GetElapsedTime(oldest.At) > Lifetime)
            {
                _pages.Dequeue();
            }
        }
    }
}
