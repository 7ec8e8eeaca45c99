using System.Net.Http.Json;
using System.Text.Json;
using FailureDrill.Processes;

namespace FailureDrill.Shops;

/// <summary>How one service shall misbehave; the shop's <c>POST /faults/{service}</c>.</summary>
internal sealed record FaultSetting
{
    public static readonly FaultSetting None = new();

    public int LatencyMs { get; init; }

    public double ErrorRate { get; init; }

    public bool Hang { get; init; }

    public bool Crash { get; init; }

    public bool CrashAfterStart { get; init; }

    public string? CrashDetail { get; init; }
}

/// <summary>What the shop says of its services and its database.</summary>
internal sealed record ShopState(IReadOnlyList<ServiceState> Services, DatabaseState Database)
{
    public ServiceState Of(string service) => Services.First(candidate => candidate.Name == service);
}

internal sealed record ServiceState(string Name, long Calls, int InFlight);

internal sealed record DatabaseState(int Connections, int InUse, int Waiting);

/// <summary>The shop's switches and status.</summary>
internal sealed class ShopControl(Uri address) : ServiceControl(address)
{
    public async Task SetAsync(string service, FaultSetting fault, CancellationToken cancellationToken)
    {
        using var response = await Http.PostAsJsonAsync($"/faults/{service}", fault, cancellationToken);
        response.EnsureSuccessStatusCode();
    }

    public async Task<ShopState> ReadAsync(CancellationToken cancellationToken) =>
        (await Http.GetFromJsonAsync<ShopState>("/faults", JsonSerializerOptions.Web, cancellationToken))!;
}
