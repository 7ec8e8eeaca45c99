namespace ResilientHost;

/// <summary>One change of a worker's state.</summary>
/// <param name="Name">Name of the worker.</param>
/// <param name="From">State left.</param>
/// <param name="To">State entered.</param>
/// <param name="Cause">Why.</param>
/// <param name="Run">Number of the run it happened to, from 1; 0 before the first.</param>
/// <param name="At">When.</param>
/// <param name="Exception">What the run threw, if that is why.</param>
/// <param name="Detail">For people: how long it was silent and what it did last, which delay follows, which sibling failed; <see langword="null"/> if there is nothing to add.</param>
public sealed record WorkerTransition(
    string Name,
    WorkerState From,
    WorkerState To,
    WorkerTransitionCause Cause,
    int Run,
    DateTimeOffset At,
    Exception? Exception = null,
    string? Detail = null);
