using ResilientHost.CircuitBreaking;

namespace ResilientHost;

// The breaker as the whole of a keyed one: calls go to its partitions, people speak to it. And as one of those partitions.
public sealed partial class CircuitBreaker
{
    // Not 0: a clock may well start at 0.
    private const long Asked = long.MinValue;

    private long _restingSince = Asked;

    /// <summary>A breaker for each caller instead of this one; <see langword="null"/> while nobody is told apart. Set by the registry.</summary>
    internal CircuitBreakerPartitions<string>? Partitions
    {
        get => Volatile.Read(ref _extras)?.Partitions;
        set => SetPartitions(value);
    }

    /// <summary>What lives with this breaker, where it is a partition. Needs the lock of the set.</summary>
    internal IPartitionCompanion? Companion
    {
        get => Volatile.Read(ref _extras)?.Companion;
        set
        {
            if (value is not null)
            {
                Extras().Companion = value;
            }
        }
    }

    /// <summary>Notes that somebody is about to use this partition. Written only after the hand went by, so that a busy key's line is not passed between cores on every call.</summary>
    internal void Ask()
    {
        if (Volatile.Read(ref _restingSince) != Asked)
        {
            Volatile.Write(ref _restingSince, Asked);
        }
    }

    /// <summary>For how long nobody has asked, here or at the companion; <see langword="null"/> when somebody has since the last look: it rests from now on. Needs the lock of the set.</summary>
    internal long? TakeRest(long now)
    {
        var asked = Companion?.TakeAsked() ?? false;
        var since = Volatile.Read(ref _restingSince);
        if (!asked && since != Asked)
        {
            return now - since;
        }

        Volatile.Write(ref _restingSince, now);
        return null;
    }

    /// <summary>Moves another breaker into the state of this one, when that is one for people to end or will end by itself.</summary>
    internal void BringAlong(CircuitBreaker other)
    {
        var now = _family.Clock.CoarseTimestamp();
        var era = Observe(now);
        if (era.State == CircuitState.Isolated)
        {
            other.IsolateAlone();
        }
        else if (RemainingBreak(era, now) is { } left && left > TimeSpan.Zero)
        {
            other.ForceOpenAlone(left);
        }
    }

    private void ForAll(Action<CircuitBreaker> move)
    {
        if (Partitions is { } partitions)
        {
            partitions.MoveAll(move);
        }
        else
        {
            move(this);
        }
    }

    private void SetPartitions(CircuitBreakerPartitions<string>? partitions)
    {
        if (partitions is null && Partitions is null)
        {
            return;
        }

        var before = Extras().ExchangePartitions(partitions);
        if (before is not null && before != partitions)
        {
            // Totals outlive the set. Outside of the lock: a set that moves all takes its own before this one.
            Extras().Tally().Add(before.Refused, before.WouldHaveRefused, before.LateResults);
        }

        var now = _family.Clock.CoarseTimestamp();
        lock (Gate)
        {
            ElapseUnderLock(now);
            CloseIfNobodyProbesUnderLock(now);
        }
    }

    // Calls go to the partitions, each of which is probed by its own.
    private void CloseIfNobodyProbesUnderLock(long now)
    {
        if (Partitions is not null && _machine.Era.State == CircuitState.HalfOpen)
        {
            PublishUnderLock(_machine.Reset(now), now);
        }
    }
}
