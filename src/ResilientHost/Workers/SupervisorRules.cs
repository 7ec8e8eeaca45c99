namespace ResilientHost.Workers;

/// <summary>What is in force while one input is worked off.</summary>
/// <param name="Enabled">The kill switch: while off, nothing is started again.</param>
/// <param name="Strategy">Who is restarted with a failed member.</param>
/// <param name="Limits">How often, over all members.</param>
/// <param name="Members">The members' policies, in order of starting.</param>
internal sealed record SupervisorRules(bool Enabled, GroupStrategy Strategy, RestartLimits Limits, IReadOnlyList<WorkerPolicy> Members);
