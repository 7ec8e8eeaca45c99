using System.Buffers;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace ResilientHost.Fallbacks;

/// <summary>The body of a request whose fallback may have to read it, too: keeps what the endpoint reads of it, in memory.</summary>
/// <remarks>
/// <para>
/// The endpoint does not notice: it reads the server's stream, and what it got is copied to a pooled array that grows with what is read, up to <see cref="MaxBytes"/>; beyond it the array is given back and the body can no longer be
/// replayed. Made for one request, never used again: whoever kept it gets <see cref="ObjectDisposedException"/> after <see cref="Detach"/>.
/// </para>
/// <para>A body that outer middleware made seekable is not copied but read again. As any stream, for one reader at a time; <see cref="Replay"/> and <see cref="Detach"/> may race a reader who was given up on.</para>
/// </remarks>
internal sealed class ReplayableRequestBody : Stream
{
    /// <summary>The largest body that is replayed.</summary>
    public const int MaxBytes = 64 * 1024;

    private readonly HttpRequest _request;
    private readonly Stream _original;
    private readonly ReplayableRequestBuffer? _kept;
    private readonly long _start;
    private ReplayableRequestReplay? _replay;
    private int _reads;
    private bool _isDetached;
    private volatile bool _isBroken;

    private ReplayableRequestBody(HttpRequest request, Stream original, ArrayPool<byte> pool)
    {
        _request = request;
        _original = original;
        if (original.CanSeek)
        {
            _start = original.Position;
        }
        else
        {
            _kept = new ReplayableRequestBuffer((int)(request.ContentLength ?? 0), pool);
        }
    }

    /// <summary>Whether <see cref="Replay"/> can give the whole body again: no more than <see cref="MaxBytes"/> were read of it, and nobody is reading it now.</summary>
    public bool IsReplayable
    {
        get
        {
            if (_isDetached || Volatile.Read(ref _reads) != 0)
            {
                return false;
            }

            try
            {
                return _kept is { } kept ? kept.IsWhole : _original.CanSeek && _original.Length - _start <= MaxBytes;
            }
            catch (Exception)
            {
                // A buffer of middleware that is disposed, or does not know its length.
                return false;
            }
        }
    }

    /// <summary>Whether the server could not read on: the caller has left, also where <see cref="HttpContext.RequestAborted"/> does not say so yet.</summary>
    public bool IsBroken => _isBroken;

    public override bool CanRead => _original.CanRead;

    public override bool CanSeek => _original.CanSeek;

    public override bool CanWrite => false;

    public override bool CanTimeout => _original.CanTimeout;

    public override int ReadTimeout
    {
        get => _original.ReadTimeout;
        set => _original.ReadTimeout = value;
    }

    public override long Length => _original.Length;

    public override long Position
    {
        get => _original.Position;
        set => Source.Position = value;
    }

    private Stream Source
    {
        get
        {
            ObjectDisposedException.ThrowIf(_isDetached || _replay is not null, this);
            return _original;
        }
    }

    /// <summary>Puts itself before the request's body.</summary>
    /// <param name="context">The request.</param>
    /// <param name="pool">Where the array comes from; the shared pool, when nothing is said.</param>
    /// <returns>The body, to be detached when the request is answered; <see langword="null"/> when the request announces more than <see cref="MaxBytes"/>, which cannot be replayed.</returns>
    public static ReplayableRequestBody? Attach(HttpContext context, ArrayPool<byte>? pool = null)
    {
        var request = context.Request;
        if (request.ContentLength is < 0 or > MaxBytes)
        {
            return null;
        }

        var body = new ReplayableRequestBody(request, request.Body, pool ?? ArrayPool<byte>.Shared);

        // The request's BodyReader is made anew for a body that it has not seen.
        request.Body = body;
        return body;
    }

    /// <summary>Lets the request be read from its beginning: what was kept, then what nobody has read yet. From here on the endpoint's stream is closed to it.</summary>
    /// <exception cref="InvalidOperationException">The body cannot be replayed, or is being replayed.</exception>
    public void Replay()
    {
        if (!IsReplayable || _replay is not null)
        {
            throw new InvalidOperationException("The request's body cannot be replayed.");
        }

        if (_kept is null)
        {
            _original.Position = _start;
        }

        _replay = new ReplayableRequestReplay(_original, _kept);
        _request.Body = _replay;

        ForgetBrokenForm();
    }

    /// <summary>Puts the original body back and gives the memory back. Does nothing the second time.</summary>
    public void Detach()
    {
        if (!_isDetached)
        {
            _isDetached = true;
            _request.Body = _original;
            _replay?.End();
            _kept?.Return();
        }
    }

    public override int Read(byte[] buffer, int offset, int count)
    {
        ValidateBufferArguments(buffer, offset, count);
        return Read(buffer.AsSpan(offset, count));
    }

    public override int Read(Span<byte> buffer)
    {
        Interlocked.Increment(ref _reads);
        try
        {
            var count = Source.Read(buffer);
            _kept?.Append(buffer[..count]);
            return count;
        }
        catch (IOException exception) when (NoteBroken(exception))
        {
            throw;
        }
        finally
        {
            Interlocked.Decrement(ref _reads);
        }
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken)
    {
        ValidateBufferArguments(buffer, offset, count);
        return ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        Interlocked.Increment(ref _reads);
        try
        {
            var count = await Source.ReadAsync(buffer, cancellationToken);
            _kept?.Append(buffer.Span[..count]);
            return count;
        }
        catch (IOException exception) when (NoteBroken(exception))
        {
            throw;
        }
        finally
        {
            Interlocked.Decrement(ref _reads);
        }
    }

    public override IAsyncResult BeginRead(byte[] buffer, int offset, int count, AsyncCallback? callback, object? state) =>
        TaskToAsyncResult.Begin(ReadAsync(buffer, offset, count, CancellationToken.None), callback, state);

    public override int EndRead(IAsyncResult asyncResult) => TaskToAsyncResult.End<int>(asyncResult);

    public override long Seek(long offset, SeekOrigin origin) => Source.Seek(offset, origin);

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush()
    {
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    // An endpoint's StreamReader closes what it reads; the fallback has to read it again, and whoever made the stream behind disposes it.
    public override void Close()
    {
    }

    // Never catches: what it notes goes on to the reader as it is. A body that middleware buffers may fail by its disk, which is no caller's doing.
    private bool NoteBroken(IOException exception)
    {
        _isBroken |= _kept is not null && exception is not BadHttpRequestException;
        return false;
    }

    // A form that failed half-read would fail again by itself; one that was read is there for everybody.
    private void ForgetBrokenForm()
    {
        var features = _request.HttpContext.Features;
        try
        {
            if (features.Get<IFormFeature>() is { HasFormContentType: true, Form: null })
            {
                features.Set<IFormFeature>(null);
            }
        }
        catch (Exception)
        {
            // The form says no to whoever looks at it before its antiforgery token was found valid. It says so to the fallback, too.
        }
    }
}
