namespace ResilientHost.Workers;

/// <summary>What can happen to a group. Members are told apart by their place in the order of starting.</summary>
internal abstract record SupervisorInput(int Member)
{
    /// <summary>The host starts the member.</summary>
    public sealed record Start(int Member) : SupervisorInput(Member);

    /// <summary>The host stops the member: for good, and with it every restart in the group.</summary>
    public sealed record Stop(int Member) : SupervisorInput(Member);

    /// <summary>Whoever waits for the member to stop waits no longer.</summary>
    public sealed record StopWaitingFor(int Member) : SupervisorInput(Member);

    /// <summary>A run ended.</summary>
    /// <param name="Member">Whose.</param>
    /// <param name="Run">Which.</param>
    /// <param name="Exception">What it threw; <see langword="null"/> if it returned.</param>
    public sealed record Ended(int Member, int Run, Exception? Exception) : SupervisorInput(Member);

    /// <summary>A run is to be replaced, as nothing is heard of it.</summary>
    public sealed record Stuck(int Member, int Run, string Detail) : SupervisorInput(Member);

    /// <summary>The member is to stand still, which costs it no restart.</summary>
    public sealed record Pause(int Member, string? Detail) : SupervisorInput(Member);

    /// <summary>The member may go on.</summary>
    public sealed record Resume(int Member) : SupervisorInput(Member);

    /// <summary>A person wants a new run now, wherever the member stands; failures are forgotten.</summary>
    public sealed record Restart(int Member) : SupervisorInput(Member);

    /// <summary>Time passed.</summary>
    public sealed record Tick() : SupervisorInput(-1);
}
