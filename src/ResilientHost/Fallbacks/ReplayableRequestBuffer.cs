using System.Buffers;

namespace ResilientHost.Fallbacks;

/// <summary>What was read of a request's body, in a pooled array that goes back exactly once.</summary>
/// <remarks>
/// Thread-safe: an endpoint or a fallback that was given up on may still be reading when the array goes back, and must neither write into what is another's by then nor read of it.
/// </remarks>
internal sealed class ReplayableRequestBuffer(int expectedBytes, ArrayPool<byte> pool)
{
    private const int SmallestArray = 1024;

    private readonly Lock _lock = new();
    private byte[]? _bytes;
    private int _count;
    private bool _isGivenUp;

    /// <summary>Whether everything that was read is here.</summary>
    public bool IsWhole
    {
        get
        {
            lock (_lock)
            {
                return !_isGivenUp;
            }
        }
    }

    /// <summary>How much was read.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _count;
            }
        }
    }

    /// <summary>Keeps what was read; gives up when it is too much.</summary>
    public void Append(ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty)
        {
            return;
        }

        lock (_lock)
        {
            if (_isGivenUp)
            {
                return;
            }

            if (bytes.Length > ReplayableRequestBody.MaxBytes - _count)
            {
                GiveUpLocked();
                return;
            }

            MakeRoomLocked(_count + bytes.Length);
            bytes.CopyTo(_bytes.AsSpan(_count));
            _count += bytes.Length;
        }
    }

    /// <summary>Copies what was kept from a position on.</summary>
    /// <returns>How much; 0 at the end.</returns>
    /// <exception cref="ObjectDisposedException">The array has gone back.</exception>
    public int CopyTo(Span<byte> destination, int position)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isGivenUp, this);
            var count = Math.Min(destination.Length, _count - position);
            _bytes.AsSpan(position, count).CopyTo(destination);
            return count;
        }
    }

    /// <summary>Gives the array back. Does nothing the second time.</summary>
    public void Return()
    {
        lock (_lock)
        {
            GiveUpLocked();
        }
    }

    private void MakeRoomLocked(int needed)
    {
        if (_bytes is not null && _bytes.Length >= needed)
        {
            return;
        }

        var larger = pool.Rent(Math.Max(needed, _bytes is null ? Math.Max(expectedBytes, SmallestArray) : _bytes.Length * 2));
        if (_bytes is not null)
        {
            _bytes.AsSpan(0, _count).CopyTo(larger);
            pool.Return(_bytes);
        }

        _bytes = larger;
    }

    private void GiveUpLocked()
    {
        _isGivenUp = true;
        if (_bytes is { } bytes)
        {
            _bytes = null;
            pool.Return(bytes);
        }
    }
}
