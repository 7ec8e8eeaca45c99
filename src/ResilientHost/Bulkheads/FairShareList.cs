namespace ResilientHost.Bulkheads;

/// <summary>Callers in the order in which they were last looked at. Needs the lock of its <see cref="FairShare"/>.</summary>
internal sealed class FairShareList(FairShareStanding standing)
{
    private FairShareCaller? _newest;

    public FairShareCaller? Oldest { get; private set; }

    public bool IsNewest(FairShareCaller caller) => ReferenceEquals(_newest, caller);

    /// <summary>Puts a caller last that is in no list.</summary>
    public void Append(FairShareCaller caller)
    {
        caller.Standing = standing;
        caller.Older = _newest;
        if (_newest is null)
        {
            Oldest = caller;
        }
        else
        {
            _newest.Newer = caller;
        }

        _newest = caller;
    }

    /// <summary>Takes a caller out that is in this list.</summary>
    public void Remove(FairShareCaller caller)
    {
        if (caller.Older is { } older)
        {
            older.Newer = caller.Newer;
        }
        else
        {
            Oldest = caller.Newer;
        }

        if (caller.Newer is { } newer)
        {
            newer.Older = caller.Older;
        }
        else
        {
            _newest = caller.Older;
        }

        caller.Standing = FairShareStanding.None;
        caller.Older = null;
        caller.Newer = null;
    }
}
