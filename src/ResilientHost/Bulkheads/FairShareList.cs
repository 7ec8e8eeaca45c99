namespace ResilientHost.Bulkheads;

/// <summary>Callers in the order in which they were last looked at. Needs the lock of its <see cref="FairShare"/>.</summary>
internal sealed class FairShareList
{
    private FairShareCaller? _newest;

    public FairShareCaller? Oldest { get; private set; }

    /// <summary>Puts a caller last, out of whatever list it is in.</summary>
    public void Append(FairShareCaller caller)
    {
        if (ReferenceEquals(_newest, caller))
        {
            return;
        }

        Remove(caller);
        caller.List = this;
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

    public static void Remove(FairShareCaller caller)
    {
        if (caller.List is not { } list)
        {
            return;
        }

        if (caller.Older is { } older)
        {
            older.Newer = caller.Newer;
        }
        else
        {
            list.Oldest = caller.Newer;
        }

        if (caller.Newer is { } newer)
        {
            newer.Older = caller.Older;
        }
        else
        {
            list._newest = caller.Older;
        }

        caller.List = null;
        caller.Older = null;
        caller.Newer = null;
    }
}
