namespace ResilientHost;

/// <summary>What happens when a worker failed more often than it may.</summary>
public enum GiveUpAction
{
    /// <summary>The worker stays failed, readiness is degraded, everything else goes on.</summary>
    Fail,

    /// <summary>The host stops, and the process ends with exit code <see cref="ResilienceDiagnostics.GaveUpExitCode"/>, so that whoever runs it starts it again.</summary>
    StopHost,
}
