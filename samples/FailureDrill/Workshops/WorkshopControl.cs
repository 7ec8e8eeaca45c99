using System.Net.Http.Json;
using System.Text.Json;
using FailureDrill.Processes;
using FailureDrill.Workshops.Service;

namespace FailureDrill.Workshops;

/// <summary>The workshop's status.</summary>
internal sealed class WorkshopControl(Uri address) : ServiceControl(address)
{
    public async Task<WorkshopState> ReadAsync(CancellationToken cancellationToken) =>
        (await Http.GetFromJsonAsync<WorkshopState>("/self", JsonSerializerOptions.Web, cancellationToken))!;

    /// <summary>Asks again until the workshop says so or the time is up; tells whether it did.</summary>
    public Task<bool> WaitForAsync(Func<WorkshopState, bool> condition, TimeSpan limit, CancellationToken cancellationToken) =>
        WaitAsync(async token => condition(await ReadAsync(token)), limit, cancellationToken);
}
