namespace ResilientHost;

/// <summary>Options of the workers by name, and what holds for all of them. Bound from <c>Resilience:Workers</c>.</summary>
/// <remarks>Not thread-safe.</remarks>
public sealed class NamedWorkerOptions : NamedOptions<WorkerOptions>
{
    internal NamedWorkerOptions()
        : base(nameof(ResilienceOptions.Workers))
    {
    }

    /// <summary>Whether every <c>BackgroundService</c> of the host is supervised, registered with the suite or not.</summary>
    /// <value>Default <see langword="true"/>. Read at start.</value>
    public bool SuperviseHostedServices { get; set; } = true;

    /// <summary>
    /// Whether an exception that nothing catches on a thread of the pool, in a timer, in an <c>async void</c> method or on a thread of the application's is contained instead of ending the process.
    /// </summary>
    /// <value>
    /// Default <see langword="false"/>. Read at start. A process that contained one is tainted: state may be half changed and locks held for ever; readiness is degraded, so that it can be
    /// replaced at a quiet hour. The process has one such handler: when somebody else holds it, the host does not start.
    /// </value>
    public bool ContainUnhandledExceptions { get; set; }
}
