namespace ResilientHost.Workers;

/// <summary>The slice's enumerations as tags show them.</summary>
internal static class WorkerNames
{
    public static string Of(WorkerState state) => state switch
    {
        WorkerState.Created => "created",
        WorkerState.Running => "running",
        WorkerState.Paused => "paused",
        WorkerState.Stuck => "stuck",
        WorkerState.BackingOff => "backing_off",
        WorkerState.Stopping => "stopping",
        WorkerState.Stopped => "stopped",
        WorkerState.Completed => "completed",
        WorkerState.Failed => "failed",
        _ => throw new ArgumentOutOfRangeException(nameof(state), state, "There is no such state of a worker."),
    };

    public static string Of(WorkerTransitionCause cause) => cause switch
    {
        WorkerTransitionCause.Host => "host",
        WorkerTransitionCause.Failure => "failure",
        WorkerTransitionCause.Returned => "returned",
        WorkerTransitionCause.Restart => "restart",
        WorkerTransitionCause.Group => "group",
        WorkerTransitionCause.GaveUp => "gave_up",
        WorkerTransitionCause.Silence => "silence",
        WorkerTransitionCause.Heartbeat => "heartbeat",
        WorkerTransitionCause.ServiceLevel => "service_level",
        WorkerTransitionCause.Circuit => "circuit",
        WorkerTransitionCause.Manual => "manual",
        _ => throw new ArgumentOutOfRangeException(nameof(cause), cause, "There is no such cause."),
    };
}
