namespace FailureDrill.Workshops.Service;

/// <summary>Twenty presses: a print takes one of them for a while, and who finds none free waits in line.</summary>
internal sealed class Presses : IDisposable
{
    public const int Count = 20;
    public static readonly TimeSpan Duration = TimeSpan.FromMilliseconds(200);

    private readonly SemaphoreSlim _free = new(Count, Count);

    public async Task PrintAsync(CancellationToken cancellationToken)
    {
        await _free.WaitAsync(cancellationToken);
        try
        {
            await Task.Delay(Duration, cancellationToken);
        }
        finally
        {
            _free.Release();
        }
    }

    public void Dispose() => _free.Dispose();
}
