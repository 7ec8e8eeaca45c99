using System.Net.Http.Json;
using System.Text.Json;

namespace FailureDrill.Processes;

/// <summary>A service's status, on connections of its own.</summary>
internal class ServiceControl(Uri address) : IDisposable
{
    protected HttpClient Http { get; } = new() { BaseAddress = address, Timeout = TimeSpan.FromSeconds(10) };

    public async Task<LayerStatus> ReadStatusAsync(CancellationToken cancellationToken) =>
        (await Http.GetFromJsonAsync<LayerStatus>("/resilience/status", JsonSerializerOptions.Web, cancellationToken))!;

    /// <summary>Asks again until the layers say so or the time is up; tells whether they did.</summary>
    public Task<bool> WaitForStatusAsync(Func<LayerStatus, bool> condition, TimeSpan limit, CancellationToken cancellationToken) =>
        WaitAsync(async token => condition(await ReadStatusAsync(token)), limit, cancellationToken);

    public void Dispose() => Http.Dispose();

    protected static async Task<bool> WaitAsync(Func<CancellationToken, Task<bool>> condition, TimeSpan limit, CancellationToken cancellationToken)
    {
        using var time = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        time.CancelAfter(limit);
        try
        {
            while (!await condition(time.Token))
            {
                await Task.Delay(TimeSpan.FromMilliseconds(50), time.Token);
            }

            return true;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }
}
