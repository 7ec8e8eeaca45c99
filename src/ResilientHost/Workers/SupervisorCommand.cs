namespace ResilientHost.Workers;

/// <summary>What is to be done, in this order, after something happened to a group.</summary>
internal abstract record SupervisorCommand(int Member, int Run)
{
    /// <summary>Begin a run.</summary>
    /// <param name="Member">Whose.</param>
    /// <param name="Run">Its number.</param>
    /// <param name="Again">Whether it is a restart, for the count of them that people see.</param>
    public sealed record Begin(int Member, int Run, bool Again) : SupervisorCommand(Member, Run);

    /// <summary>Ask a run to end.</summary>
    public sealed record Cancel(int Member, int Run) : SupervisorCommand(Member, Run);

    /// <summary>Show a state.</summary>
    public sealed record Enter(int Member, int Run, WorkerState State, WorkerTransitionCause Cause, Exception? Exception, string? Detail) : SupervisorCommand(Member, Run);

    /// <summary>Count and name a run that did not end within its limit.</summary>
    public sealed record Abandon(int Member, int Run, TimeSpan Waited) : SupervisorCommand(Member, Run);

    /// <summary>A run that was abandoned ended after all.</summary>
    public sealed record AbandonedEnded(int Member, int Run, TimeSpan After) : SupervisorCommand(Member, Run);

    /// <summary>Tell of an exception that is not acted upon.</summary>
    public sealed record LateFailure(int Member, int Run, Exception Exception) : SupervisorCommand(Member, Run);

    /// <summary>Carry out what giving up means.</summary>
    /// <param name="Member">Whose failure was one too many.</param>
    /// <param name="Run">Its run.</param>
    /// <param name="WholeGroup">Whether all members are given up, or only this one.</param>
    /// <param name="Exception">What the run threw.</param>
    /// <param name="Why">For people.</param>
    public sealed record GiveUp(int Member, int Run, bool WholeGroup, Exception? Exception, string Why) : SupervisorCommand(Member, Run);
}
