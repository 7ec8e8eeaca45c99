using System.Net.Http.Json;
using System.Text.Json;
using FailureDrill.Agencies.Service;
using FailureDrill.Processes;

namespace FailureDrill.Agencies;

/// <summary>The agency's status.</summary>
internal sealed class AgencyControl(Uri address) : ServiceControl(address)
{
    public async Task<AgencyState> ReadAsync(CancellationToken cancellationToken) =>
        (await Http.GetFromJsonAsync<AgencyState>("/self", JsonSerializerOptions.Web, cancellationToken))!;
}
