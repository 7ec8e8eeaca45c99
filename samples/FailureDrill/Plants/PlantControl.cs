using System.Net.Http.Json;
using System.Text.Json;
using FailureDrill.Plants.Service;
using FailureDrill.Processes;

namespace FailureDrill.Plants;

/// <summary>The plant's status and its switches.</summary>
internal sealed class PlantControl(Uri address) : ServiceControl(address)
{
    public async Task<PlantState> ReadAsync(CancellationToken cancellationToken) =>
        (await Http.GetFromJsonAsync<PlantState>("/self", JsonSerializerOptions.Web, cancellationToken))!;

    /// <summary>Makes every run of the conveyor throw after a while.</summary>
    public Task TearConveyorAsync(CancellationToken cancellationToken) => SwitchAsync("/conveyor/tear", cancellationToken);

    public Task RepairConveyorAsync(CancellationToken cancellationToken) => SwitchAsync("/conveyor/repair", cancellationToken);

    /// <summary>Makes the boiler throw whenever it is started.</summary>
    public Task BreakBoilerAsync(CancellationToken cancellationToken) => SwitchAsync("/boiler/break", cancellationToken);

    /// <summary>Makes one pass of the sorter hang.</summary>
    public Task JamSorterAsync(CancellationToken cancellationToken) => SwitchAsync("/sorter/jam", cancellationToken);

    private async Task SwitchAsync(string path, CancellationToken cancellationToken)
    {
        using var response = await Http.PostAsync(path, content: null, cancellationToken);
        response.EnsureSuccessStatusCode();
    }
}
