using System.Diagnostics.CodeAnalysis;

namespace ResilientHost.Bulkheads;

/// <summary>Finds callers by their key. Chained through the callers themselves, which takes less than half of a dictionary's memory. Needs the lock of its <see cref="FairShare"/>.</summary>
/// <remarks>Grows in steps, a few places with each caller that is added: everybody waits for the lock, and must not wait for a move of all.</remarks>
internal sealed class FairShareIndex
{
    private const int Smallest = 16;

    // One would be enough to be done before the next growth; with more the former places are soon let go.
    private const int MovedWithEach = 4;

    private FairShareCaller?[] _places = new FairShareCaller?[Smallest];
    private FairShareCaller?[]? _former;
    private int _moved;

    public int Count { get; private set; }

    public bool TryFind(string key, [NotNullWhen(true)] out FairShareCaller? caller)
    {
        var hash = FairShareCaller.HashOf(key);
        caller = PlaceOf(hash);
        while (caller is not null && (caller.Hash != hash || !string.Equals(caller.Key, key, StringComparison.Ordinal)))
        {
            caller = caller.Next;
        }

        return caller is not null;
    }

    /// <summary>Adds a caller whose key is not there.</summary>
    public void Add(FairShareCaller caller)
    {
        if (Count == _places.Length)
        {
            Grow();
        }

        MoveSome();
        Link(caller);
        Count++;
    }

    /// <summary>Removes a caller that is there.</summary>
    public void Remove(FairShareCaller caller)
    {
        ref var place = ref PlaceOf(caller.Hash);
        if (ReferenceEquals(place, caller))
        {
            place = caller.Next;
        }
        else
        {
            var before = place!;
            while (!ReferenceEquals(before.Next, caller))
            {
                before = before.Next!;
            }

            before.Next = caller.Next;
        }

        caller.Next = null;
        Count--;
    }

    private ref FairShareCaller? PlaceOf(int hash)
    {
        if (_former is { } former)
        {
            var place = hash & (former.Length - 1);
            if (place >= _moved)
            {
                return ref former[place];
            }
        }

        return ref _places[hash & (_places.Length - 1)];
    }

    private void Link(FairShareCaller caller)
    {
        ref var place = ref PlaceOf(caller.Hash);
        caller.Next = place;
        place = caller;
    }

    private void Grow()
    {
        _former = _places;
        _moved = 0;
        _places = new FairShareCaller?[_former.Length * 2];
    }

    private void MoveSome()
    {
        for (var moves = 0; moves < MovedWithEach && _former is { } former; moves++)
        {
            var caller = former[_moved++];
            while (caller is not null)
            {
                var next = caller.Next;
                Link(caller);
                caller = next;
            }

            if (_moved == former.Length)
            {
                _former = null;
            }
        }
    }
}
