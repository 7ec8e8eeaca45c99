using System.Buffers;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;
using ResilientHost.Refusals;

namespace ResilientHost.Fallbacks;

/// <summary>Copies one response on its way out, and keeps it if it turns out to be good.</summary>
/// <remarks>
/// Never throws into the response. Of one request and never reused; its buffer is pooled, which is why a write that comes after the end meets a lock. Decided twice: when the response
/// starts, by what the endpoint said, and at its end, by what was added since.
/// </remarks>
internal sealed class StaleRecording : IResponseTap
{
    private const int FirstBuffer = 4 * 1024;

    private readonly Lock _gate = new();
    private readonly StaleFallback _fallback;
    private readonly StaleResponses _responses;
    private readonly HttpContext _context;
    private readonly uint _asked;
    private readonly int _maxBytes;
    private readonly KeyValuePair<string, StringValues>[] _outer;
    private IReadOnlyList<KeyValuePair<string, StringValues>> _headers = [];
    private long? _contentLength;
    private byte[] _buffer = [];
    private int _length;
    private Stage _stage;

    /// <param name="fallback">The endpoint's.</param>
    /// <param name="responses">Where it is to be kept.</param>
    /// <param name="context">The request, with the response as the middleware around the endpoint left it.</param>
    /// <param name="asked">What was asked for.</param>
    public StaleRecording(StaleFallback fallback, StaleResponses responses, HttpContext context, uint asked)
    {
        _fallback = fallback;
        _responses = responses;
        _context = context;
        _asked = asked;

        // Now: the handler may change what the key is made of.
        Key = fallback.KeyOf(context);
        _maxBytes = responses.MaxResponseBytes;
        _outer = context.Response.Headers is { Count: > 0 } headers ? [.. headers] : [];
    }

    /// <summary>What the request asked for when it came.</summary>
    public string Key { get; }

    private SortedSet<string> Vary => field ??= new(StringComparer.Ordinal);

    private enum Stage
    {
        Waiting,
        Recording,
        Unfit,
        TooLarge,
        Ended,
    }

    public void OnStarting(HttpContext context)
    {
        lock (_gate)
        {
            if (_stage == Stage.Waiting)
            {
                Begin(context.Response);
            }
        }
    }

    public void OnWrite(ReadOnlySpan<byte> bytes)
    {
        lock (_gate)
        {
            if (_stage == Stage.Waiting)
            {
                // Nobody said that the response starts: what was sent before these bytes is unknown.
                _stage = Stage.Unfit;
            }

            if (_stage != Stage.Recording || bytes.IsEmpty)
            {
                return;
            }

            if (bytes.Length > _maxBytes - _length)
            {
                Drop(Stage.TooLarge);
                return;
            }

            Grow(_length + bytes.Length);
            bytes.CopyTo(_buffer.AsSpan(_length));
            _length += bytes.Length;
        }
    }

    public void OnUnrecordable()
    {
        lock (_gate)
        {
            Drop(Stage.Unfit);
        }
    }

    /// <summary>Keeps the response, if it is a good one and whole. To be called once the endpoint has ended and the tap is off the response.</summary>
    /// <param name="succeeded">The endpoint neither threw nor ran into its timeout, and its answer was not cut off.</param>
    public void Complete(bool succeeded)
    {
        lock (_gate)
        {
            if (_stage == Stage.Ended)
            {
                return;
            }

            try
            {
                if (succeeded && IsGood())
                {
                    _fallback.Keep(Key, _context.Request, Vary, _headers, _buffer.AsSpan(0, _length).ToArray());
                }
                else if (_stage != Stage.TooLarge)
                {
                    // The next one may be better. What is too large is not copied again at once.
                    _fallback.Release(_asked);
                }
            }
            catch (Exception)
            {
                // Features and headers of someone's own: the response has gone out, only keeping it has failed.
            }
            finally
            {
                Drop(Stage.Ended);
            }
        }
    }

    /// <summary>As <see cref="Complete"/> of a success, once the response has ended.</summary>
    /// <remarks>For one that middleware around holds back: what is added when it starts, such as the cookie of a session, may forbid to keep it.</remarks>
    public void CompleteAtEnd() => _context.Response.OnCompleted(
        static recording =>
        {
            ((StaleRecording)recording).Complete(succeeded: true);
            return Task.CompletedTask;
        },
        this);

    /// <summary>Forgets the response.</summary>
    public void Abandon() => Complete(succeeded: false);

    private void Begin(HttpResponse response)
    {
        _stage = Stage.Unfit;
        try
        {
            var headers = response.Headers;
            if (response.StatusCode != StatusCodes.Status200OK || StaleHeaders.ForbidKeeping(headers) || StaleHeaders.DescribePart(headers) || !StaleHeaders.TryAddVary(headers.Vary, Vary))
            {
                return;
            }

            _contentLength = headers.ContentLength;
            if (_contentLength > _maxBytes)
            {
                _stage = Stage.TooLarge;
                return;
            }

            _headers = Snapshot(headers);
            _stage = Stage.Recording;
        }
        catch (Exception)
        {
            // A header collection of someone's own: not kept, and no harm to the response.
        }
    }

    private List<KeyValuePair<string, StringValues>> Snapshot(IHeaderDictionary headers)
    {
        var kept = new List<KeyValuePair<string, StringValues>>(headers.Count);
        foreach (var header in headers)
        {
            if (StaleHeaders.IsKept(header.Key) && !IsOuter(header) && !IsNamedBy(headers.Connection, header.Key))
            {
                kept.Add(header);
            }
        }

        return kept;
    }

    // What the middleware around has set for this request, it sets for the next one.
    private bool IsOuter(KeyValuePair<string, StringValues> header)
    {
        foreach (var outer in _outer)
        {
            if (outer.Key.Equals(header.Key, StringComparison.OrdinalIgnoreCase))
            {
                return outer.Value == header.Value;
            }
        }

        return false;
    }

    private static bool IsNamedBy(StringValues connection, string name) =>
        connection.Count != 0 && connection.ToString().Split(',', StringSplitOptions.TrimEntries).Contains(name, StringComparer.OrdinalIgnoreCase);

    private bool IsGood()
    {
        var response = _context.Response;
        if (_stage == Stage.Waiting && !response.HasStarted)
        {
            // Nothing was written: the server starts the response after us.
            Begin(response);
        }

        return _stage == Stage.Recording
            && response.StatusCode == StatusCodes.Status200OK
            && (_contentLength is null || _contentLength == _length)
            && !StaleHeaders.ForbidKeeping(response.Headers)
            && StaleHeaders.TryAddVary(response.Headers.Vary, Vary, IsOfMiddleware)
            && _fallback.IsAnyones(_context)
            && !CutResponse.IsMarked(_context)
            && !_context.RequestAborted.IsCancellationRequested;
    }

    // Added after the start by compression and CORS around us, for what they made of the answer, not for what is kept.
    private static bool IsOfMiddleware(string name) => name is "accept-encoding" or "origin";

    private void Grow(int needed)
    {
        if (needed <= _buffer.Length)
        {
            return;
        }

        var larger = ArrayPool<byte>.Shared.Rent((int)Math.Min(Math.Max(Math.Max(FirstBuffer, needed), 2L * _buffer.Length), Math.Max(_maxBytes, needed)));
        _buffer.AsSpan(0, _length).CopyTo(larger);
        Return();
        _buffer = larger;
    }

    private void Drop(Stage stage)
    {
        if (_stage == Stage.Ended)
        {
            return;
        }

        Return();
        _length = 0;
        _stage = stage;
    }

    private void Return()
    {
        if (_buffer.Length != 0)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
            _buffer = [];
        }
    }
}
