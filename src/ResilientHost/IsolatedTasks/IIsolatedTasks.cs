namespace ResilientHost;

/// <summary>Runs work that nobody waits for: bounded, tracked, contained, and drained when the host stops.</summary>
/// <remarks>
/// <para>What <c>Task.Run</c> without an await cannot give: an exception is logged and counted instead of lost, the host waits for what is under way, and no burst can flood the process.</para>
/// <para>
/// Of its caller a task has: a link from its own span (a trace of its own) to the caller's, the baggage of the caller's activity, and copies of the log scopes as they were at the call. It has none of the
/// execution context: no <c>HttpContext</c>, no user, no culture, no <see cref="AsyncLocal{T}"/>. Scopes that a logger factory other than the framework's keeps to itself are not carried.
/// </para>
/// <para>The host waits when all services have stopped; until then, requests and workers that are still at it may start tasks. 256 names are told apart; further ones share one bound.</para>
/// <para>A singleton of the service container; thread-safe.</para>
/// </remarks>
public interface IIsolatedTasks
{
    /// <summary>Starts work on the thread pool.</summary>
    /// <param name="name">What the work is, of a closed set: bounds, metrics and leaks are told by name.</param>
    /// <param name="work">The work. Its token is cancelled when the host stops and the drain limit is near; it must not use services of the request's scope.</param>
    /// <param name="member">Where the call stands, for the log of leaks; given by the compiler.</param>
    /// <param name="file">See <paramref name="member"/>; only the file's name is kept.</param>
    /// <param name="line">See <paramref name="member"/>.</param>
    /// <returns>Completes with how the work ended: never faulted, never cancelled. <see cref="CallOutcome.Ignored"/>: it was cancelled because the host stops. Need not be awaited.</returns>
    /// <exception cref="ArgumentException"><paramref name="name"/> is empty or blank.</exception>
    /// <exception cref="ArgumentNullException">An argument is <see langword="null"/>.</exception>
    /// <exception cref="RefusedException">There is no room (<see cref="RefusalReason.BulkheadFull"/>), or the host is stopping (<see cref="RefusalReason.Shed"/>).</exception>
    Task<CallOutcome> Run(
        string name,
        Func<CancellationToken, Task> work,
        [System.Runtime.CompilerServices.CallerMemberName] string member = "",
        [System.Runtime.CompilerServices.CallerFilePath] string file = "",
        [System.Runtime.CompilerServices.CallerLineNumber] int line = 0);
}
