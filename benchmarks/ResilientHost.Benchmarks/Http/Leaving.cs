using System.Runtime.InteropServices;

namespace ResilientHost.Benchmarks.Http;

/// <summary>Turns Ctrl-C and SIGTERM into a cancellation, so that what has been started is ended on the way out. What even that does not reach ends with its input.</summary>
internal sealed class Leaving : IDisposable
{
    private readonly CancellationTokenSource _source = new();
    private readonly PosixSignalRegistration _interrupt;
    private readonly PosixSignalRegistration _terminate;

    public Leaving()
    {
        _interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Leave);
        _terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Leave);
    }

    public CancellationToken Token => _source.Token;

    public void Dispose()
    {
        _interrupt.Dispose();
        _terminate.Dispose();
        _source.Dispose();
    }

    private void Leave(PosixSignalContext context)
    {
        context.Cancel = true;
        _source.Cancel();
    }
}
