namespace ResilientHost.Bulkheads;

/// <summary>Calls that came or left while another thread held the lock of their <see cref="FairShare"/>, for whoever holds it next to count.</summary>
/// <remarks>
/// Thread-safe, lock-free: two stacks that are only pushed to and taken whole (R. K. Treiber, 1986). Bounded: as many may come uncounted as there is room for whosesoever they are, and only who is inside can leave.
/// </remarks>
internal sealed class FairShareBacklog
{
    private FairSharePlace? _entered;
    private FairSharePlace? _left;
    private int _uncounted;
    private int _room;

    /// <summary>Says how many more calls fit whosesoever they are: what is left when all have everything they want. Only with the lock.</summary>
    public void SetRoom(double calls) => Volatile.Write(ref _room, (int)calls);

    /// <summary>Whether one more call fits without a look at who makes it. It is to be <see cref="PushEntered">pushed</see> then.</summary>
    public bool TryAdmit()
    {
        if (Interlocked.Increment(ref _uncounted) <= Volatile.Read(ref _room))
        {
            return true;
        }

        Interlocked.Decrement(ref _uncounted);
        return false;
    }

    public void PushEntered(FairSharePlace place)
    {
        FairSharePlace? next;
        do
        {
            place.Next = next = Volatile.Read(ref _entered);
        }
        while (Interlocked.CompareExchange(ref _entered, place, next) != next);
    }

    public void PushLeft(FairSharePlace place)
    {
        FairSharePlace? next;
        do
        {
            place.NextLeft = next = Volatile.Read(ref _left);
        }
        while (Interlocked.CompareExchange(ref _left, place, next) != next);
    }

    /// <summary>Takes all of them, chained: who has left has been taken among those who came, now or before.</summary>
    public (FairSharePlace? Entered, FairSharePlace? Left) TakeAll()
    {
        if (Volatile.Read(ref _entered) is null && Volatile.Read(ref _left) is null)
        {
            return default;
        }

        // In this order: whoever is among the left came first.
        var left = Interlocked.Exchange(ref _left, null);
        return (Interlocked.Exchange(ref _entered, null), left);
    }

    /// <summary>So many calls that came have been counted, and <see cref="SetRoom"/> has been told.</summary>
    public void Counted(int calls) => Interlocked.Add(ref _uncounted, -calls);
}
