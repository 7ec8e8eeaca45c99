namespace FailureDrill.Processes;

/// <summary>A running service that a drill breaks.</summary>
internal interface IService : IAsyncDisposable
{
    Uri Address { get; }

    bool HasLayers { get; }

    bool IsAlive { get; }

    /// <summary>With what it ended; <see langword="null"/> while it lives.</summary>
    int? ExitCode { get; }
}
