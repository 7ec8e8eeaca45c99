namespace ResilientHost.Bulkheads;

/// <summary>
/// One place inside a bulkhead. A lease names a slot and its generation at issue; whoever moves the generation on has ended the lease,
/// so a lease ends once however often and from however many threads that is tried.
/// </summary>
internal sealed class PermitSlot(int number)
{
    private long _generation;
    private int _next;

    /// <summary>Position in the slot table, counted from 1; 0 means "no slot".</summary>
    public int Number { get; } = number;

    /// <summary>The slot below this one on the stack of free slots; meaningless while the slot is held.</summary>
    public int Next
    {
        get => Volatile.Read(ref _next);
        set => Volatile.Write(ref _next, value);
    }

    public long Generation => Volatile.Read(ref _generation);

    public bool TryEnd(long generation) =>
        Interlocked.CompareExchange(ref _generation, generation + 1, generation) == generation;
}
