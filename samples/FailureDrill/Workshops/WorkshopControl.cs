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
}
