using ResilientHost.Refusals;

namespace ResilientHost.IsolatedTasks;

/// <summary>Values of tags, and how text about tasks is shown.</summary>
internal static class IsolatedTaskNames
{
    /// <summary>Shared by all names beyond <see cref="IsolatedTaskRunner.MaxNames"/>.</summary>
    public const string Other = "other";

    /// <summary>The scope's key for the name of the task that a log entry comes from.</summary>
    public const string ScopeKey = "IsolatedTask";

    public static string Of(CallOutcome outcome) => outcome switch
    {
        CallOutcome.Succeeded => "succeeded",
        CallOutcome.Failed => "failed",
        CallOutcome.Ignored => "ignored",
        _ => throw new ArgumentOutOfRangeException(nameof(outcome), outcome, "The outcome is unknown."),
    };

    public static string Of(RefusalReason reason) => reason switch
    {
        RefusalReason.BulkheadFull => ProblemCodes.BulkheadFull,
        RefusalReason.Shed => ProblemCodes.Shed,
        _ => throw new ArgumentOutOfRangeException(nameof(reason), reason, "Isolated tasks are not refused for this."),
    };
}
