using System.Buffers;
using System.Net.Http.Headers;

namespace ResilientHost.Outbound;

/// <summary>Headers as they were, of a request or of its body. For one call; not thread-safe while it captures or lets go, thread-safe in between.</summary>
internal struct RequestReplayHeaders
{
    private KeyValuePair<string, HeaderStringValues>[]? _kept;
    private bool _isRented;
    private int _count;

    /// <summary>Keeps what there is.</summary>
    /// <param name="headers">As the caller made them.</param>
    /// <param name="isShared">Whether others may still read it when the call is over.</param>
    public void Capture(HttpHeaders headers, bool isShared)
    {
        var now = headers.NonValidated;
        _count = 0;
        if (now.Count > 0)
        {
            _isRented = !isShared;
            _kept = isShared ? new KeyValuePair<string, HeaderStringValues>[now.Count] : ArrayPool<KeyValuePair<string, HeaderStringValues>>.Shared.Rent(now.Count);
            foreach (var header in now)
            {
                _kept[_count++] = header;
            }
        }
    }

    /// <summary>Makes them what they were.</summary>
    public readonly void Restore(HttpHeaders headers)
    {
        headers.Clear();
        CopyTo(headers);
    }

    /// <summary>Adds what was kept.</summary>
    public readonly void CopyTo(HttpHeaders headers)
    {
        for (var i = 0; i < _count; i++)
        {
            var (name, values) = _kept![i];
            if (values.Count == 1)
            {
                headers.TryAddWithoutValidation(name, values.ToString());
            }
            else
            {
                headers.TryAddWithoutValidation(name, values);
            }
        }
    }

    /// <summary>Lets go of what was kept.</summary>
    public void Release()
    {
        if (_isRented && _kept is { } kept)
        {
            // Credentials are among them; they must not be found by who rents the array next.
            (_kept, _isRented) = (null, false);
            Array.Clear(kept, 0, _count);
            _count = 0;
            ArrayPool<KeyValuePair<string, HeaderStringValues>>.Shared.Return(kept);
        }
    }
}
