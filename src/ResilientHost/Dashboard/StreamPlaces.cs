namespace ResilientHost.Dashboard;

/// <summary>How many streams there are, of whom. Thread-safe.</summary>
internal sealed class StreamPlaces
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, int> _byUser = new(StringComparer.Ordinal);
    private int _taken;

    /// <summary>Streams that are open now.</summary>
    public int Taken => Volatile.Read(ref _taken);

    /// <summary>Takes a place.</summary>
    /// <param name="user">For whom.</param>
    /// <param name="policy">How many there are.</param>
    /// <param name="makesRoom">Asked where all are taken: whether somebody else is about to give one back.</param>
    public StreamPlace TryTake(string user, DashboardPolicy policy, Func<bool> makesRoom)
    {
        lock (_gate)
        {
            var own = _byUser.GetValueOrDefault(user);

            // First what the user can mend.
            if (own >= policy.MaxStreamsPerUser)
            {
                return StreamPlace.UserHasTooMany;
            }

            if (_taken >= policy.MaxStreams && !(policy.MaxStreams > 0 && makesRoom()))
            {
                return StreamPlace.AllTaken;
            }

            _byUser[user] = own + 1;
            _taken++;
            return StreamPlace.Taken;
        }
    }

    public void GiveBack(string user)
    {
        lock (_gate)
        {
            _taken--;
            if (_byUser[user]-- == 1)
            {
                _byUser.Remove(user);
            }
        }
    }
}

/// <summary>Whether there was a place for a stream.</summary>
internal enum StreamPlace
{
    Taken,
    UserHasTooMany,
    AllTaken,
}
