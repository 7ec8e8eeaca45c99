using System.Net.Http.Json;
using System.Text.Json;
using FailureDrill.Kiosks.Service;
using FailureDrill.Processes;

namespace FailureDrill.Kiosks;

/// <summary>The kiosk's status.</summary>
internal sealed class KioskControl(Uri address) : ServiceControl(address)
{
    public async Task<KioskState> ReadAsync(CancellationToken cancellationToken) =>
        (await Http.GetFromJsonAsync<KioskState>("/self", JsonSerializerOptions.Web, cancellationToken))!;

    /// <summary>Asks again until the kiosk says so or the time is up; tells whether it did.</summary>
    public Task<bool> WaitForAsync(Func<KioskState, bool> condition, TimeSpan limit, CancellationToken cancellationToken) =>
        WaitAsync(async token => condition(await ReadAsync(token)), limit, cancellationToken);
}
