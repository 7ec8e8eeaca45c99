using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using ResilientHost.Hosting;

namespace ResilientHost.Fallbacks;

/// <summary>
/// Stands before a request's response body. An answer of 500 or above goes nowhere, so that something better can be said; every other one is passed on as it is written, and a tap may watch it.
/// </summary>
/// <remarks>
/// <para>
/// Which of the two it is, is decided once, by the status at the first byte, flush, start or completion. A diverted answer leaves the response unstarted and its status and headers free to be set.
/// A status that is set after the first byte comes too late, even where the server still holds that byte. An answer that is a status and nothing else never comes by: it is still there to be looked at when the endpoint is done.
/// </para>
/// <para>
/// A guard belongs to one response body for all its life, and is kept with the server's feature collection, which in turn belongs to one connection: attaching and detaching allocates nothing from a connection's second request on, and a
/// stream or writer that someone kept beyond the request throws <see cref="ObjectDisposedException"/>, or reaches what the server's own stream, kept in the same way, would have reached. It never reaches another connection.
/// </para>
/// <para>Not thread-safe, as response bodies are not; but a late write that races <see cref="Detach"/> ends in an <see cref="ObjectDisposedException"/> or in the body it was meant for.</para>
/// </remarks>
internal sealed class GuardedResponseBody : IHttpResponseBodyFeature
{
    /// <summary>The largest answer of a failure that is kept.</summary>
    public const int MaxReplacedBytes = 64 * 1024;

    private static readonly ConditionalWeakTable<IFeatureCollection, Home> Homes = [];

    private readonly Home? _home;
    private readonly GuardedAnswer _answer;
    private GuardedResponseWriter? _writer;
    private GuardedResponseStream? _stream;
    private HttpContext? _context;
    private IResponseTap? _tap;
    private bool _replacesFailures;
    private Course _course;
    private ArrayBufferWriter<byte>? _replaced;
    private bool _wasAskedLate;

    private GuardedResponseBody(IHttpResponseBodyFeature original, Home? home, GuardedAnswer answer)
    {
        Original = original;
        _home = home;
        _answer = answer;
    }

    private enum Course
    {
        Detached,
        Undecided,
        Passing,
        Diverting,
    }

    /// <summary>The body behind the guard.</summary>
    public IHttpResponseBodyFeature Original { get; }

    /// <summary>Whether an answer of 500 or above was begun and has been diverted: nothing of it went out. Readable until the next attach.</summary>
    public bool HasReplaced => ReplacedStatusCode != 0;

    /// <summary>Whether a first byte, flush or start has decided what becomes of the answer: what its status is set to afterwards changes nothing. Readable until the next attach.</summary>
    public bool HasDecided { get; private set; }

    /// <summary>The status of the answer that was diverted; 0 when none was.</summary>
    public int ReplacedStatusCode { get; private set; }

    /// <summary>Whether anybody has asked it for anything: from then on there may be someone who writes. Readable until the next attach.</summary>
    public bool IsTouched { get; private set; }

    public Stream Stream
    {
        get
        {
            Touch();
            return _stream ??= new GuardedResponseStream(this);
        }
    }

    public PipeWriter Writer
    {
        get
        {
            Touch();
            return _writer ??= new GuardedResponseWriter(this);
        }
    }

    /// <summary>Whether bytes must be shown before they are passed on.</summary>
    public bool IsTapped => _tap is not null;

    /// <summary>Whether bytes must be looked at: for the tap, or because they may have to be kept.</summary>
    public bool Looks => _tap is not null || _course == Course.Diverting || (_replacesFailures && _course == Course.Undecided);

    /// <summary>Whether what is written goes nowhere. Decides nothing.</summary>
    /// <exception cref="ObjectDisposedException">The guard is detached.</exception>
    public bool IsDiverting => _course switch
    {
        Course.Diverting => true,
        Course.Detached => throw Gone(),
        _ => false,
    };

    /// <summary>Puts a guard before the response body that the request has now.</summary>
    /// <param name="context">The request.</param>
    /// <param name="replacesFailures"><see langword="false"/>: an answer of 500 or above is passed on like any other.</param>
    /// <param name="tap">Who watches what is passed on.</param>
    /// <param name="answer">Whose answer it is. What a failed endpoint was given never serves what is answered in its place, nor the other way round.</param>
    /// <returns>The guard, to be detached when the endpoint is done; <see langword="null"/> when the request has no response body.</returns>
    public static GuardedResponseBody? Attach(HttpContext context, bool replacesFailures, IResponseTap? tap, GuardedAnswer answer = GuardedAnswer.Endpoint)
    {
        var features = context.Features;
        if (features.FindResponseBody() is not { } original)
        {
            return null;
        }

        var guard = Rent(features, original, answer);
        guard._context = context;
        guard._replacesFailures = replacesFailures;
        guard._tap = tap;
        guard.HasDecided = false;
        guard.IsTouched = false;
        guard.ReplacedStatusCode = 0;
        guard._replaced = null;
        guard._course = Course.Undecided;
        features.Put<IHttpResponseBodyFeature>(guard);
        return guard;
    }

    /// <summary>Puts <see cref="Original"/> back, whatever is there now: middleware may have wrapped the guard and left it so.</summary>
    /// <param name="mayBeHeld">
    /// Whether somebody may still be writing: an endpoint that failed, was cancelled or given up on. Such a guard is not used again if anybody has asked it for anything or has put something
    /// before it, as is none that has replaced an answer.
    /// </param>
    /// <remarks>Before anything else answers the request, an exception's recovery included. Does nothing the second time.</remarks>
    public void Detach(bool mayBeHeld = false)
    {
        if (_context is not { } context)
        {
            return;
        }

        _course = Course.Detached;
        _context = null;
        _tap = null;
        _writer?.Forget();
        if (HasReplaced && !context.Response.HasStarted)
        {
            // A later status would have come too late for the server as well; left to stand, it would pass for an answer that nobody ever wrote.
            context.Response.StatusCode = ReplacedStatusCode;
        }

        // Guards that were detached in the wrong order must not come back to life as dead bodies.
        var original = Original;
        while (original is GuardedResponseBody { _course: Course.Detached } dead)
        {
            original = dead.Original;
        }

        var features = context.Features;
        var isHeld = mayBeHeld && (IsTouched || !ReferenceEquals(features.FindResponseBody(), this));
        features.Put(original);
        if (_home is not null && !isHeld && !HasReplaced)
        {
            _home.Of(_answer) = this;
        }
    }

    public Task StartAsync(CancellationToken cancellationToken = default) =>
        Passes() ? Original.StartAsync(cancellationToken) : Task.CompletedTask;

    public Task CompleteAsync() => Passes() ? Original.CompleteAsync() : Task.CompletedTask;

    public Task SendFileAsync(string path, long offset, long? count, CancellationToken cancellationToken = default)
    {
        if (!Passes())
        {
            _replaced = null;
            return Task.CompletedTask;
        }

        // A tap sees nothing of what the server sends by itself; through our stream it does, at the price of copying.
        return IsTapped ? SendFileFallback.SendFileAsync(Stream, path, offset, count, cancellationToken) : Original.SendFileAsync(path, offset, count, cancellationToken);
    }

    /// <summary>Keeps what is diverted, for the case that nothing better can be said; nothing of it, once it is too much.</summary>
    public void Keep(ReadOnlySpan<byte> bytes)
    {
        if (_replaced is { } replaced)
        {
            if (bytes.Length > MaxReplacedBytes - replaced.WrittenCount)
            {
                _replaced = null;
                return;
            }

            replaced.Write(bytes);
        }
    }

    /// <summary>The answer that was diverted; <see langword="null"/> when it was too large to be kept, or its bytes were not seen.</summary>
    public byte[]? TakeReplaced() => _replaced?.WrittenSpan.ToArray();

    public void DisableBuffering()
    {
        Touch();
        if (!IsDiverting)
        {
            Original.DisableBuffering();
        }
    }

    /// <summary>Whether what comes now is passed on; decides it, if nothing has yet.</summary>
    /// <exception cref="ObjectDisposedException">The guard is detached.</exception>
    public bool Passes() => _course == Course.Passing || (_course != Course.Diverting && Decide());

    /// <summary>Whether an answer is being passed on.</summary>
    public bool HasPassed => _course == Course.Passing;

    /// <summary>Shows bytes that are about to be passed on.</summary>
    public void Show(ReadOnlySpan<byte> bytes)
    {
        if (_tap is { } tap && bytes.Length > 0)
        {
            try
            {
                tap.OnWrite(bytes);
            }
            catch (Exception)
            {
                // Whoever watches must not harm the request; the tap knows, and says, what went wrong.
                LoseSight();
            }
        }
    }

    /// <summary>Lets the tap go: it cannot see all of the answer.</summary>
    public void LoseSight()
    {
        var tap = _tap;
        _tap = null;
        try
        {
            tap?.OnUnrecordable();
        }
        catch (Exception)
        {
            // See Show.
        }
    }

    // Asked by someone who has kept it, between two requests or after a failure: it is not used again.
    private void Touch()
    {
        IsTouched = true;
        _wasAskedLate |= _course == Course.Detached;
    }

    private static ObjectDisposedException Gone() => new(nameof(GuardedResponseBody), "The endpoint is done with this response.");

    private static GuardedResponseBody Rent(IFeatureCollection features, IHttpResponseBodyFeature original, GuardedAnswer answer)
    {
        // A body that middleware made for this request would be kept alive by the connection, and never be seen again. Where the features are a plain collection, they live no longer than the body does.
        if (!ReferenceEquals(features, original) && features is not FeatureCollection)
        {
            return new GuardedResponseBody(original, home: null, answer);
        }

        if (!Homes.TryGetValue(features, out var home))
        {
            home = Homes.GetValue(features, static _ => new Home());
        }

        // No interlocked exchange: a feature collection serves one request at a time, and guards within guards are attached one after the other.
        ref var spare = ref home.Of(answer);
        var guard = spare;
        spare = null;
        return guard is { _wasAskedLate: false } && ReferenceEquals(guard.Original, original) ? guard : new GuardedResponseBody(original, home, answer);
    }

    private bool Decide()
    {
        Touch();
        if (_course == Course.Detached || _context is not { } context)
        {
            throw Gone();
        }

        HasDecided = true;
        var response = context.Response;
        var isFailure = _replacesFailures && response.StatusCode >= StatusCodes.Status500InternalServerError;
        var isUntouched = (!isFailure && _tap is null) || (!response.HasStarted && !HoldsBytes());
        if (isFailure && isUntouched)
        {
            ReplacedStatusCode = response.StatusCode;
            _tap = null;
            _course = Course.Diverting;
            _replaced = new();
            return false;
        }

        _course = Course.Passing;
        if (_tap is { } tap)
        {
            Announce(tap, context, isUntouched);
        }

        return true;
    }

    private void Announce(IResponseTap tap, HttpContext context, bool isUntouched)
    {
        try
        {
            tap.OnStarting(context);
        }
        catch (Exception)
        {
            // See Show.
            isUntouched = false;
        }

        if (!isUntouched)
        {
            LoseSight();
        }
    }

    // Bytes that were written behind our back, and that the server sends before anything else.
    private bool HoldsBytes()
    {
        try
        {
            var writer = Original.Writer;
            return writer.CanGetUnflushedBytes && writer.UnflushedBytes > 0;
        }
        catch (Exception)
        {
            // Completed or disposed: nothing whole can be written to it any more, so nothing could take the answer's place.
            return true;
        }
    }

    private sealed class Home
    {
        private GuardedResponseBody? _endpoints;
        private GuardedResponseBody? _substitutes;

        public ref GuardedResponseBody? Of(GuardedAnswer answer) => ref answer == GuardedAnswer.Endpoint ? ref _endpoints : ref _substitutes;
    }
}

/// <summary>Whose answer a <see cref="GuardedResponseBody"/> stands before.</summary>
internal enum GuardedAnswer
{
    Endpoint,

    /// <summary>A fallback's, or an exception handler's.</summary>
    Substitute,
}
