using System.Diagnostics.CodeAnalysis;

namespace ResilientHost.Bulkheads;

/// <summary>Finds callers by their key. Chained through the callers themselves, which takes a quarter of a dictionary's memory. Needs the lock of its <see cref="FairShare"/>.</summary>
internal sealed class FairShareIndex
{
    private const int Smallest = 16;
    private FairShareCaller?[] _places = new FairShareCaller?[Smallest];

    public int Count { get; private set; }

    public bool TryFind(string key, [NotNullWhen(true)] out FairShareCaller? caller)
    {
        caller = PlaceOf(key);
        while (caller is not null && !string.Equals(caller.Key, key, StringComparison.Ordinal))
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

        Link(caller);
        Count++;
    }

    /// <summary>Removes a caller that is there.</summary>
    public void Remove(FairShareCaller caller)
    {
        ref var place = ref PlaceOf(caller.Key!);
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

    // The hash of text is keyed by the process: nobody can choose keys that meet in one place.
    private ref FairShareCaller? PlaceOf(string key) => ref _places[key.GetHashCode(StringComparison.Ordinal) & (_places.Length - 1)];

    private void Link(FairShareCaller caller)
    {
        ref var place = ref PlaceOf(caller.Key!);
        caller.Next = place;
        place = caller;
    }

    private void Grow()
    {
        var old = _places;
        _places = new FairShareCaller?[old.Length * 2];
        foreach (var first in old)
        {
            for (var caller = first; caller is not null;)
            {
                var next = caller.Next;
                Link(caller);
                caller = next;
            }
        }
    }
}
