using ResilientHost.Hosting;

namespace ResilientHost;

/// <summary>How a group of workers shares its fate. Bound from <c>Resilience:WorkerGroups:&lt;name&gt;</c>.</summary>
/// <remarks>
/// Workers name their group in <see cref="WorkerOptions.Group"/>; they start in the order of their registration. Restarts of all members count together; when the group gives up, all of it
/// stops. Not thread-safe; read once per change of configuration.
/// </remarks>
public sealed class WorkerGroupOptions : ICopiedOptions
{
    /// <summary>Who is restarted with a failed member.</summary>
    /// <value>Default <see cref="GroupStrategy.OneForOne"/>.</value>
    public GroupStrategy Strategy { get; set; } = GroupStrategy.OneForOne;

    /// <inheritdoc cref="WorkerOptions.MaxRestarts" path="/summary"/>
    /// <value>From 0 to 1,000,000; default 5. A failure counts once, however many members are restarted for it.</value>
    public int MaxRestarts { get; set; } = 5;

    /// <inheritdoc cref="WorkerOptions.RestartWindow"/>
    public TimeSpan RestartWindow { get; set; } = TimeSpan.FromSeconds(30);

    /// <inheritdoc cref="WorkerOptions.FailureThreshold" path="/summary"/>
    /// <value>More than 0 and at most 1,000,000; default <see langword="null"/>: not counted.</value>
    public double? FailureThreshold { get; set; }

    /// <inheritdoc cref="WorkerOptions.FailureDecay"/>
    public TimeSpan FailureDecay { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>What happens when the group failed more often than it may.</summary>
    /// <value>Default <see langword="null"/>: <see cref="GiveUpAction.StopHost"/> if that is what a member would do on its own, else <see cref="GiveUpAction.Fail"/>.</value>
    public GiveUpAction? OnGiveUp { get; set; }

    object ICopiedOptions.Copy() => MemberwiseClone();
}
