using ResilientHost.Benchmarks.Dashboard;

namespace ResilientHost.Benchmarks.Sizes;

/// <summary>Pages of the dashboard that are open while there is light traffic, and as many connections whose answer never ends.</summary>
internal sealed class ListenerSizes() : SizeStudy("listeners", "Open dashboard pages", "What they add, their other ends in this process included. Held: responses of an ordinary endpoint that go on without a word.", "pages")
{
    private const int FewestKept = 10;
    private const int WarmUps = 4_000;
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Watched = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(6);
    private bool _isWarm;

    public override IReadOnlyList<int> Sizes { get; } = [1, 10, 100, 1_000];

    public override IReadOnlyList<SizeColumn> Columns { get; } =
        [new("pages", "time", "ms of CPU a second"), new("held", "time", "ms of CPU a second"), new("pages", "memory", "B each"), new("held", "memory", "B each")];

    public override double[] Measure(int size)
    {
        using PagedServer server = new(mostPages: size);
        if (!_isWarm)
        {
            Request(server, WarmUps);
            Open(server, PagedServer.Events, 1, WarmUp);
            _isWarm = true;
        }

        // Each endpoint's first request compiles its code.
        Request(server, PagedServer.Endpoints);
        Thread.Sleep(Settling);
        var none = Figure.CpuPerSecond(Watched, server.RequestSteadily);
        var (cpu, bytes) = Open(server, PagedServer.Events, size, Watched);
        var (heldCpu, heldBytes) = Open(server, PagedServer.Held, size, Watched);
        return size < FewestKept ? [cpu - none, heldCpu - none, double.NaN, double.NaN] : [cpu - none, heldCpu - none, bytes, heldBytes];
    }

    private static void Request(PagedServer server, int count)
    {
        for (var request = 0; request < count; request++)
        {
            server.Request();
        }
    }

    private static (double Cpu, double BytesEach) Open(PagedServer server, string path, int size, TimeSpan watched)
    {
        var before = Figure.BytesInUse();
        double bytes, cpu;
        using (OpenPages pages = new(server.Address, path, size))
        {
            server.RequestSteadily(Settling);
            bytes = (Figure.BytesInUse() - before) / (double)size;
            cpu = Figure.CpuPerSecond(watched, server.RequestSteadily);
        }

        // What closing them costs is over by then.
        Thread.Sleep(Settling);
        return (cpu, bytes);
    }
}
