using System.Diagnostics;
using FailureDrill.Load;
using FailureDrill.Processes;

namespace FailureDrill.Shops;

/// <summary>A running shop: its process, its switches and its status.</summary>
internal sealed class Shop : IService
{
    private readonly ContentRoot _content;
    private readonly ServiceProcess _process;

    private Shop(ContentRoot content, ServiceProcess process, Uri address, bool layers)
    {
        _content = content;
        _process = process;
        Address = address;
        HasLayers = layers;
        Control = new ShopControl(address);
    }

    public Uri Address { get; }

    public bool HasLayers { get; }

    public bool IsAlive => _process.IsAlive;

    public int? ExitCode => _process.ExitCode;

    public long LogLines => _process.LogLines;

    public ContentRoot Content => _content;

    /// <summary>Switches and status, on connections of their own.</summary>
    public ShopControl Control { get; }

    public static async Task<Shop> StartAsync(bool layers, CancellationToken cancellationToken)
    {
        var content = new ContentRoot();
        Shop shop;
        try
        {
            var (process, address) = await ServiceProcess.StartAsync(Describe(content), layers, cancellationToken);
            shop = new Shop(content, process, address, layers);
        }
        catch
        {
            content.Dispose();
            throw;
        }

        try
        {
            await Readiness.WaitAsync("Storefront", shop.Address, ShopRequests.All, new LoadPlan(ShopRequests.All, PerSecond: 150), cancellationToken);
            return shop;
        }
        catch
        {
            await shop.DisposeAsync();
            throw;
        }
    }

    /// <summary>Waits until the log has grown; tells whether it did in time.</summary>
    public async Task<bool> WaitForLogAsync(long linesBefore, TimeSpan limit, CancellationToken cancellationToken)
    {
        var started = Stopwatch.GetTimestamp();
        while (LogLines == linesBefore && Stopwatch.GetElapsedTime(started) < limit)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(50), cancellationToken);
        }

        return LogLines > linesBefore;
    }

    public async ValueTask DisposeAsync()
    {
        Control.Dispose();
        await _process.DisposeAsync();
        _content.Dispose();
    }

    // On a busy machine the shop would rightly turn down what is less important. These drills look at other layers, so here it only counts that.
    private static ServiceProgram Describe(ContentRoot content) => new(
        "Storefront",
        ShopAssembly.Path,
        ["--urls", "http://127.0.0.1:0", "--contentRoot", content.FullPath, "--Faults:Enabled", "true", "--Resilience:Degradation:Mode", "Shadow"]);
}
