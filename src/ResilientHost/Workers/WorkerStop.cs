using System.Runtime.InteropServices;

namespace ResilientHost.Workers;

/// <summary>A token that is cancelled with a run's own stopping, or with the caller's. Costs nothing where the two are the same.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly struct WorkerStop : IDisposable
{
    private readonly CancellationTokenSource? _linked;

    private WorkerStop(CancellationTokenSource? linked, CancellationToken token)
    {
        Token = token;
        _linked = linked;
    }

    public CancellationToken Token { get; }

    public static WorkerStop Link(WorkerRun run, CancellationToken cancellationToken)
    {
        if (cancellationToken == run.Stopping || !cancellationToken.CanBeCanceled)
        {
            return new(linked: null, run.Stopping);
        }

        var linked = CancellationTokenSource.CreateLinkedTokenSource(run.Stopping, cancellationToken);
        return new(linked, linked.Token);
    }

    public void Dispose() => _linked?.Dispose();
}
