using FailureDrill.Agencies.Service;
using FailureDrill.Processes;

namespace FailureDrill.Agencies;

/// <summary>Two more agencies in a row, and the suppliers behind the last: with the one in front a chain of three services.</summary>
internal sealed class Partners : IUpstream
{
    private readonly List<ServiceProcess> _processes = [];

    private Partners(Suppliers suppliers)
    {
        Suppliers = suppliers;
        Arguments = suppliers.PartnerArguments;
    }

    public Suppliers Suppliers { get; }

    public IReadOnlyList<string> Arguments { get; private set; }

    public static async Task<Partners> StartAsync(bool layers, CancellationToken cancellationToken)
    {
        var partners = new Partners(await Suppliers.StartAsync(cancellationToken));
        try
        {
            for (var i = 0; i < 2; i++)
            {
                var program = new ServiceProgram("A partner", typeof(AgencyService).Assembly.Location, [AgencyService.Command, .. partners.Arguments]);
                var (process, address) = await ServiceProcess.StartAsync(program, layers, cancellationToken);
                partners._processes.Add(process);
                partners.Arguments = ["--partner", address.ToString()];
            }

            return partners;
        }
        catch
        {
            await partners.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in _processes)
        {
            await process.DisposeAsync();
        }

        await Suppliers.DisposeAsync();
    }
}
