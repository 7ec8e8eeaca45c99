namespace ResilientHost.Dashboard;

/// <summary>The pages that see the same: those of users, or those of strangers. What one of them is told is read and written once for all. Thread-safe.</summary>
/// <param name="read">Reads the status as these pages see it.</param>
internal sealed class StatusView(Func<ResilienceStatus> read) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly HashSet<StatusStream> _streams = [];
    private readonly StatusFrames _frames = new();
    private ToldStatus? _told;
    private byte[]? _whole;
    private long _asked;
    private long _answered;

    public bool IsEmpty
    {
        get
        {
            lock (_gate)
            {
                return _streams.Count == 0;
            }
        }
    }

    /// <summary>Adds a page.</summary>
    /// <returns>The whole status, as a frame. From then on the page is offered what differs from it.</returns>
    public byte[] Join(StatusStream stream)
    {
        var ticket = Interlocked.Increment(ref _asked);
        lock (_gate)
        {
            var whole = WholeUnderLock(ticket);
            _streams.Add(stream);
            return whole;
        }
    }

    /// <summary>As <see cref="Join"/> for a page that has missed something; what waits for it is forgotten.</summary>
    public byte[] TellAnew(StatusStream stream)
    {
        var ticket = Interlocked.Increment(ref _asked);
        lock (_gate)
        {
            var whole = WholeUnderLock(ticket);
            stream.Forget();
            return whole;
        }
    }

    public void Leave(StatusStream stream)
    {
        lock (_gate)
        {
            if (_streams.Remove(stream) && _streams.Count == 0)
            {
                (_told, _whole) = (null, null);
            }
        }
    }

    /// <summary>Reads the status and tells every page what has changed; reads nothing when there is none.</summary>
    public void Tell()
    {
        lock (_gate)
        {
            if (_streams.Count > 0)
            {
                TellUnderLock(read());
            }
        }
    }

    /// <summary>Tells every page something that is no part of the status. Written only if there is one.</summary>
    public void Tell(Func<byte[]> write)
    {
        lock (_gate)
        {
            if (_streams.Count > 0)
            {
                OfferUnderLock(write());
            }
        }
    }

    /// <summary>Ends one page.</summary>
    /// <returns>Whether there was one that was not ending already.</returns>
    public bool EndOne()
    {
        StatusStream? chosen;
        lock (_gate)
        {
            chosen = _streams.FirstOrDefault(static stream => !stream.IsEnding);
        }

        chosen?.End();
        return chosen is not null;
    }

    /// <summary>Ends the pages that have not taken for so long what is sent to them: they hold a place and memory for nobody.</summary>
    public void EndStalled(long now, TimeSpan limit)
    {
        List<StatusStream>? stalled = null;
        lock (_gate)
        {
            foreach (var stream in _streams)
            {
                if (stream.StalledFor(now) >= limit)
                {
                    (stalled ??= []).Add(stream);
                }
            }
        }

        // Outside of the lock: what ends may leave on this very thread.
        foreach (var stream in stalled ?? [])
        {
            stream.End();
        }
    }

    public void Dispose() => _frames.Dispose();

    // A reading that began after somebody asked answers them, too: a thousand pages that come back after a restart share a few readings.
    private byte[] WholeUnderLock(long ticket)
    {
        if (_whole is null || ticket > _answered)
        {
            _answered = Volatile.Read(ref _asked);
            var status = read();

            // The others now know what the newcomer does: from here on one difference holds for all of them.
            TellUnderLock(status);
            _whole = StatusFrames.Of(StatusEventNames.Status, status, ResilienceStatusJson.Default.ResilienceStatus);
        }

        return _whole;
    }

    private void TellUnderLock(ResilienceStatus status)
    {
        _told ??= new ToldStatus();
        _told.Tell(status, _frames);
        if (_frames.Take() is { } frames)
        {
            // Whoever waits for the whole status must not be given one from before.
            _whole = null;
            OfferUnderLock(frames);
        }
    }

    private void OfferUnderLock(byte[] frames)
    {
        foreach (var stream in _streams)
        {
            stream.Offer(frames);
        }
    }
}
