using System.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using ResilientHost.Hosting;

namespace ResilientHost.Timeouts;

/// <summary>
/// One request's timeout: stands in for the server's lifetime feature from <see cref="Begin"/> to <see cref="End"/>, cancels the token that the endpoint
/// sees when the time is over, and aborts the connection (HTTP/2 and HTTP/3: the stream) when that is ignored for the length of the grace.
/// </summary>
/// <remarks>
/// <para>Reusable, for one request at a time; <see cref="Begin"/> and <see cref="End"/> belong to the request's own flow, everything else is thread-safe.
/// An instance that is not used again (<see cref="MayBeReused"/> is false, or there is no room for it) must be disposed: its timer may be armed.</para>
/// <para>A request that ends in time costs two interlocked writes: its deadline is a field, the timer is armed only when it would come too late for it, and is not disarmed.</para>
/// </remarks>
internal sealed partial class RequestTimeout : IHttpRequestLifetimeFeature, IDisposable
{
    // What _deadline holds when it is no timestamp. No request; one that the timer is looking at, under the gate; one that has no deadline any more.
    private const long Closed = long.MinValue;
    private const long Claimed = long.MinValue + 1;
    private const long Disarmed = long.MaxValue;

    private readonly Lock _gate = new();
    private readonly MonotonicClock _clock;
    private readonly Func<bool> _isDebugged;
    private readonly ITimer _timer;
    private long _deadline = Closed;
    private HttpContext? _context;
    private IHttpRequestLifetimeFeature? _lifetime;
    private IHttpResponseFeature? _response;
    private IOverrunListener? _listener;
    private TimeSpan _timeout;
    private long _timeoutTicks;
    private TimeSpan _grace;
    private CancellationTokenSource? _source;
    private CancellationTokenRegistration _link;
    private bool _isLinked;
    private CancellationToken? _replacement;
    private volatile bool _isReplaced;
    private int _visitors;
    private int _owner;
    private long _looksForDebuggerAt = long.MinValue;
    private bool _wasDebugged;
    private volatile bool _fired;
    private volatile bool _overran;
    private bool _aborted;

    /// <param name="clock">The clock and its timers.</param>
    /// <param name="isDebugged">Whether a person holds the process up; <see langword="null"/>: <see cref="Debugger.IsAttached"/>.</param>
    public RequestTimeout(MonotonicClock clock, Func<bool>? isDebugged = null)
    {
        _clock = clock;
        _isDebugged = isDebugged ?? (static () => Debugger.IsAttached);
        _timer = CreateTimer();
    }

    /// <summary>The timeout of this request, or of the last one, ran out before the response had started.</summary>
    public bool HasFired => _fired;

    /// <summary>It was ignored for the length of the grace: the connection or stream has been aborted, or will have been when <see cref="End"/> returns.</summary>
    public bool HasOverrun => _overran;

    /// <summary>Whether a request is inside; not under a debugger.</summary>
    public bool IsRunning => _context is not null;

    /// <summary>Whether another request may begin with this instance after <see cref="End"/>: nobody has kept hold of it.</summary>
    public bool MayBeReused { get; private set; } = true;

    /// <summary>The endpoint's token: cancelled with the server's own, and by the timeout. Made when it is first asked for, for this request alone.</summary>
    public CancellationToken RequestAborted
    {
        get
        {
            if (_owner == Environment.CurrentManagedThreadId)
            {
                // The request is ended by this thread alone, and it is here: it cannot end meanwhile.
                return TokenOfRequest(_lifetime);
            }

            Interlocked.Increment(ref _visitors);
            try
            {
                return Volatile.Read(ref _deadline) == Closed ? CancellationToken.None : TokenOfRequest(_lifetime);
            }
            finally
            {
                Interlocked.Decrement(ref _visitors);
            }
        }

        set
        {
            Interlocked.Increment(ref _visitors);
            try
            {
                lock (_gate)
                {
                    _replacement = value;
                    _isReplaced = true;
                }
            }
            finally
            {
                Interlocked.Decrement(ref _visitors);
            }
        }
    }

    /// <summary>Puts this in the place of the server's lifetime feature and starts the time. Does nothing under a debugger.</summary>
    /// <param name="context">The request.</param>
    /// <param name="timeout">How long it may take until its response starts.</param>
    /// <param name="grace">How long it may take to return once it was cancelled.</param>
    /// <param name="now">The timestamp since when it counts.</param>
    /// <param name="listener">Is told when the time is over, if anyone is to be.</param>
    /// <exception cref="InvalidOperationException">A request is still inside, or the last one left something behind: see <see cref="MayBeReused"/>.</exception>
    public void Begin(HttpContext context, TimeSpan timeout, TimeSpan grace, long now, IOverrunListener? listener)
    {
        if (_context is not null || !MayBeReused)
        {
            throw new InvalidOperationException("A request's timeout is used by one request at a time, and not again once it has fired.");
        }

        if (IsDebugged(now))
        {
            return;
        }

        if (timeout != _timeout)
        {
            _timeout = timeout;
            _timeoutTicks = _clock.ToTimestampTicks(timeout);
        }

        // Features are looked up here, on the request's thread: their collection is not made for the timer's.
        var features = context.Features;
        _context = context;
        _lifetime = features.FindLifetime();
        _response = features.FindResponse();
        if (!ReferenceEquals(_listener, listener))
        {
            _listener = listener;
        }

        _grace = grace;
        ForgetReplacement();
        features.Put<IHttpRequestLifetimeFeature>(this);
        var deadline = now + _timeoutTicks;

        // Published last, and with a full fence: whoever reads the deadline reads this request's fields, and either the timer's
        // callback finds the deadline after it has unscheduled itself, or this finds the timer unscheduled.
        Interlocked.Exchange(ref _deadline, deadline);
        if (Volatile.Read(ref _scheduled) > deadline)
        {
            Arm();
        }
    }

    /// <summary>
    /// Tells that the thread is calling the request's endpoint, and will come back to end the request or to <see cref="Leave"/> it: whoever asks for the token on this thread
    /// need not be counted.
    /// </summary>
    public void Stay()
    {
        if (_context is not null)
        {
            _owner = Environment.CurrentManagedThreadId;
        }
    }

    /// <summary>Ends <see cref="Stay"/>: the request goes on elsewhere. On the same thread, as is <see cref="End"/> where this is not called. A plain field will do: only the thread that wrote its own number there can find it there.</summary>
    public void Leave() => _owner = 0;

    /// <summary>Puts the server's feature back. From then on nothing of this touches the request.</summary>
    /// <returns>Whether the timeout had fired. False also when <see cref="Begin"/> did nothing.</returns>
    public bool End()
    {
        if (_context is not { } context)
        {
            return false;
        }

        _owner = 0;
        var lifetime = _lifetime;
        if (Interlocked.Exchange(ref _deadline, Closed) == Claimed || _fired)
        {
            EndBesideTimer(lifetime);
        }

        var features = context.Features;

        // An endpoint that still asks for its token, or a feature of its own around this one, could be met by the next request.
        var isVisited = Volatile.Read(ref _visitors) != 0;
        MayBeReused = !_fired && !isVisited && ReferenceEquals(features[typeof(IHttpRequestLifetimeFeature)], this);
        features.Put(lifetime);
        LetGoOfSource(isVisited);
        _context = null;
        _lifetime = null;
        _response = null;
        return _fired;
    }

    /// <inheritdoc/>
    public void Abort() => _lifetime?.Abort();

    /// <summary>Stops the timer, and lets go of whoever is told: an application may keep this, as the request's feature.</summary>
    public void Dispose()
    {
        _timer.Dispose();
        _listener = null;

        // Not the source: one that is still there has been asked for while the request ended, and whoever asked is yet to be given its token.
    }

    // A person who comes meanwhile is noticed when the time is over: then it is asked again, and every time. One who leaves is asked for each time,
    // as the request that has no deadline would never get one.
    private bool IsDebugged(long now)
    {
        if (_wasDebugged || now >= _looksForDebuggerAt)
        {
            _looksForDebuggerAt = now + (_clock.Frequency / 10);
            _wasDebugged = _isDebugged();
        }

        return _wasDebugged;
    }

    private CancellationToken TokenOfRequest(IHttpRequestLifetimeFeature? lifetime)
    {
        if (_isReplaced || _fired)
        {
            lock (_gate)
            {
                if ((_replacement ?? (_fired ? _source?.Token ?? new CancellationToken(canceled: true) : null)) is { } known)
                {
                    return known;
                }
            }
        }

        return Volatile.Read(ref _source) is { } ready ? ready.Token : MakeToken(lifetime?.RequestAborted ?? CancellationToken.None);
    }

    // Without the gate, which would be most of the price. The source is published first and the firing looked at then; the timer's callback fires first
    // and looks for a source then: at least one of the two sees the other and cancels.
    private CancellationToken MakeToken(CancellationToken aborted)
    {
        var source = new CancellationTokenSource();
        var link = aborted.UnsafeRegister(static source => ((CancellationTokenSource)source!).Cancel(), source);
        if (Interlocked.CompareExchange(ref _source, source, null) is { } earlier)
        {
            link.Unregister();
            return earlier.Token;
        }

        if (aborted.CanBeCanceled)
        {
            (_isLinked, _link) = (true, link);
        }

        if (_fired && HasFiredForGood())
        {
            CancelBesideTimer(source);
        }

        return source.Token;
    }

    // The timer fires under the gate, and takes it back there where the request ends at that moment: a token that was cancelled then would be that of a
    // request whose time was not over.
    private bool HasFiredForGood()
    {
        lock (_gate)
        {
            return _fired;
        }
    }

    private static void CancelBesideTimer(CancellationTokenSource source)
    {
        try
        {
            source.Cancel();
        }
        catch (Exception)
        {
            // The callback of somebody who got the token at this very moment: nothing to the one who asks for it.
        }
    }

    private void ForgetReplacement()
    {
        if (_isReplaced)
        {
            _isReplaced = false;
            _replacement = null;
        }
    }

    private void LetGoOfSource(bool isVisited)
    {
        ForgetReplacement();
        if (_source is not { } source)
        {
            return;
        }

        // Not Dispose, which would wait for callbacks that run. While a source may be in the middle of cancelling it is the collector's; it holds no timer.
        var isQuiet = !_isLinked || Unlink();
        if (isQuiet && !_fired && !isVisited)
        {
            source.Dispose();
        }

        _source = null;
    }

    private bool Unlink()
    {
        var isUnlinked = _link.Unregister();
        (_isLinked, _link) = (false, default);
        return isUnlinked;
    }
}
