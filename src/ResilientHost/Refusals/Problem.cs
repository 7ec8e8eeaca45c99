namespace ResilientHost.Refusals;

/// <summary>What a caller is told: the parts of an RFC 9457 problem that do not depend on the request.</summary>
/// <param name="Status">HTTP status code, 400 to 599.</param>
/// <param name="Code">One of <see cref="ProblemCodes"/>, or a code that configuration names; snake case.</param>
/// <param name="Title">One sentence for people. Never contains anything of an exception.</param>
/// <param name="RetryAfter">When to come back; <see langword="null"/> when nobody can tell.</param>
internal readonly record struct Problem(int Status, string Code, string Title, TimeSpan? RetryAfter)
{
    /// <summary>The wait in whole seconds, rounded up and at least 1; 0 when there is none.</summary>
    public int RetryAfterSeconds => RetryAfter switch
    {
        null => 0,
        { Ticks: <= TimeSpan.TicksPerSecond } => 1,
        { Ticks: >= int.MaxValue * TimeSpan.TicksPerSecond } => int.MaxValue,
        { Ticks: var ticks } => (int)((ticks + TimeSpan.TicksPerSecond - 1) / TimeSpan.TicksPerSecond),
    };
}
