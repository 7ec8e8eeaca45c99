namespace ResilientHost.Dashboard;

/// <summary>The pages that see the same: those of users, or those of strangers. What one of them is told is read and written once for all. Thread-safe.</summary>
/// <param name="read">Reads the status as these pages see it.</param>
internal sealed class StatusView(Func<ResilienceStatus> read) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly HashSet<StatusStream> _streams = [];
    private readonly StatusFrames _frames = new();
    private ToldStatus? _told;
    private ResilienceStatus? _status;
    private byte[]? _whole;

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
    /// <returns>The whole status as the other pages know it, as a frame. From then on the page is offered what differs from it.</returns>
    public byte[] Join(StatusStream stream)
    {
        lock (_gate)
        {
            var whole = WholeUnderLock();
            _streams.Add(stream);
            return whole;
        }
    }

    /// <summary>As <see cref="Join"/> for a page that has missed something; what waits for it is forgotten.</summary>
    public byte[] TellAnew(StatusStream stream)
    {
        lock (_gate)
        {
            var whole = WholeUnderLock();
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
                (_told, _status, _whole) = (null, null, null);
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

    // As it was told last, a second ago at most. With a reading for each newcomer there would be news for everybody else each time, and pages that fall behind over it would ask anew, without an end.
    private byte[] WholeUnderLock()
    {
        if (_status is null)
        {
            TellUnderLock(read());
        }

        return _whole ??= StatusFrames.Of(StatusEventNames.Status, _status!, ResilienceStatusJson.Default.ResilienceStatus);
    }

    private void TellUnderLock(ResilienceStatus status)
    {
        _status = status;
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
