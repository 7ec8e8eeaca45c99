using System.Net.Http.Json;
using System.Text.Json;

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

/// <summary>What the layers say of themselves; the parts of <c>GET /resilience/status</c> that drills read.</summary>
internal sealed record LayerStatus(IReadOnlyList<CircuitStatus> CircuitBreakers, IReadOnlyList<BulkheadStatus> Bulkheads)
{
    public CircuitStatus? Circuit(string name) => CircuitBreakers.FirstOrDefault(circuit => circuit.Name == name);

    public BulkheadStatus? Bulkhead(string name) => Bulkheads.FirstOrDefault(bulkhead => bulkhead.Name == name);
}

internal sealed record CircuitStatus(string Name, string State, double FailureRatio, long Calls, long Refused)
{
    /// <summary>The state without regard to how JSON spells it: <c>closed</c>, <c>open</c>, <c>halfopen</c>, <c>isolated</c>.</summary>
    public string PlainState => State.Replace("_", "", StringComparison.Ordinal).ToLowerInvariant();
}

internal sealed record BulkheadStatus(string Name, int? Limit, int InFlight, int Queued, long Refused);

/// <summary>The shop's switches and status.</summary>
internal sealed class ShopControl(Uri address) : IDisposable
{
    private readonly HttpClient _http = new() { BaseAddress = address, Timeout = TimeSpan.FromSeconds(10) };

    public async Task SetAsync(string service, FaultSetting fault, CancellationToken cancellationToken)
    {
        using var response = await _http.PostAsJsonAsync($"/faults/{service}", fault, cancellationToken);
        response.EnsureSuccessStatusCode();
    }

    public async Task<ShopState> ReadAsync(CancellationToken cancellationToken) =>
        (await _http.GetFromJsonAsync<ShopState>("/faults", JsonSerializerOptions.Web, cancellationToken))!;

    public async Task<LayerStatus> ReadStatusAsync(CancellationToken cancellationToken) =>
        (await _http.GetFromJsonAsync<LayerStatus>("/resilience/status", JsonSerializerOptions.Web, cancellationToken))!;

    /// <summary>Asks again until the layers say so or the time is up; tells whether they did.</summary>
    public async Task<bool> WaitForStatusAsync(Func<LayerStatus, bool> condition, TimeSpan limit, CancellationToken cancellationToken)
    {
        using var time = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        time.CancelAfter(limit);
        try
        {
            while (!condition(await ReadStatusAsync(time.Token)))
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

    public void Dispose() => _http.Dispose();
}
