namespace ResilientHost;

/// <summary>A background worker that the suite supervises.</summary>
/// <remarks>
/// <para>
/// <see cref="RunAsync"/> is the worker's whole life. Every run gets a new instance in a scope of its own, both disposed when the run has ended, so a restart
/// begins with clean state. A worker
/// </para>
/// <list type="bullet">
/// <item>MUST return, or throw <see cref="OperationCanceledException"/>, soon after its stopping token is cancelled: within <see cref="WorkerOptions.StopTimeout"/>, after which the run is abandoned and named.</item>
/// <item>MUST leave what outlives a run (tables, files, channels) such that the next run can begin with it: a run may end at any await.</item>
/// <item>MUST NOT start work that it does not await; <see cref="IIsolatedTasks"/> is for that.</item>
/// <item>SHOULD throw when it cannot go on. A thrown exception is how it asks for a restart; catching everything hides it from the supervisor.</item>
/// <item>SHOULD do its work in <c>context.RunIterationAsync</c> or <c>context.ProcessAsync</c>, which isolate one pass or one item, show them, and beat the heart.</item>
/// <item>SHOULD return when its work is done for good. A <see cref="RestartPolicy.Transient"/> worker is then not started again.</item>
/// </list>
/// <para>The rules of ending and restarting are those of Erlang/OTP's supervisors (permanent, transient, temporary); the contract's shape is that of suture's <c>Service</c>.</para>
/// </remarks>
public interface IResilientWorker
{
    /// <summary>Runs until the work is done, the worker fails, or it is asked to stop.</summary>
    /// <param name="context">What the run has at hand; valid until the run ends.</param>
    /// <param name="stoppingToken">Cancelled when the worker is to stop: the host stops, a sibling's failure restarts the group, or this run is to be replaced.</param>
    /// <returns>Completes when the work is done for good.</returns>
    Task RunAsync(WorkerContext context, CancellationToken stoppingToken);
}
