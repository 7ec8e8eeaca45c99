namespace ResilientHost.Propagation;

/// <summary>What the calls made while serving a request need to know of it. One for each request; follows its execution context.</summary>
/// <remarks>Thread-safe: calls of one request may run side by side, and outlive it.</remarks>
/// <param name="isRead">Whether anything of this host will ask for it.</param>
internal sealed class InboundCall(bool isRead = true)
{
    private static readonly AsyncLocal<InboundCall?> Ambient = new();
    private long _callersDeadline = long.MaxValue;
    private long _endpointsDeadline = long.MaxValue;
    private volatile bool _dependencyFailed;

    /// <summary>Of the request that is served now; <see langword="null"/> outside of one.</summary>
    public static InboundCall? Current
    {
        get => Ambient.Value;
        set => Ambient.Value = value;
    }

    /// <summary>When the time of the request is over, as a timestamp of the host's clock: its caller's or its endpoint's, whichever is earlier. <see cref="long.MaxValue"/>: it has no end, as once the response has begun.</summary>
    public long Deadline => Math.Min(Volatile.Read(ref _callersDeadline), Volatile.Read(ref _endpointsDeadline));

    /// <summary>When the caller stops waiting; <see cref="long.MaxValue"/> when it does not say, or is not believed.</summary>
    public long CallersDeadline
    {
        get => Volatile.Read(ref _callersDeadline);
        init => _callersDeadline = value;
    }

    /// <summary>Whether the caller has said how long it waits, and is believed.</summary>
    public bool HasCallersDeadline => CallersDeadline != long.MaxValue;

    /// <summary>Whether it is the caller who bounds <see cref="Deadline"/>: that this time is over then says nothing of what was called meanwhile. The endpoint's own time says that it took too long.</summary>
    public bool IsCallersTime => CallersDeadline is not long.MaxValue and var deadline && deadline <= Volatile.Read(ref _endpointsDeadline);

    /// <summary>How much it matters.</summary>
    public Criticality Criticality { get; init; } = Criticality.Default;

    /// <summary>Which attempt of its caller's it is: 1, or what <c>Resilience-Attempt</c> says. Above 1, calls made for it are not made again.</summary>
    public int Attempt { get; init; } = 1;

    /// <summary>Whether anything of this host asks for <see cref="Current"/>; else it is not made known.</summary>
    public bool IsRead { get; } = isRead;

    /// <summary>Whether a call made for it has failed for good: making the request again would not help, and its answer says so.</summary>
    public bool DependencyFailed => _dependencyFailed;

    /// <summary>Notes that a call made for it has failed for good.</summary>
    public void NoteDependencyFailure() => _dependencyFailed = true;

    /// <summary>The endpoint's own time is running.</summary>
    /// <param name="deadline">When it is over.</param>
    public void BeginEndpoint(long deadline) => Volatile.Write(ref _endpointsDeadline, deadline);

    /// <summary>Whether the endpoint's own time has run out, and what it called is told to stop because of that.</summary>
    /// <param name="now">The host's clock's timestamp.</param>
    public bool IsEndpointsTimeOver(long now) => now >= Volatile.Read(ref _endpointsDeadline);

    /// <summary>The endpoint's own time no longer counts: it has returned. What answers in its place has time of its own.</summary>
    public void EndEndpoint() => Volatile.Write(ref _endpointsDeadline, long.MaxValue);

    /// <summary>The response has begun: who waited for it has it, and what goes on may take as long as it likes.</summary>
    public void EndDeadlines()
    {
        EndEndpoint();
        Volatile.Write(ref _callersDeadline, long.MaxValue);
    }
}
