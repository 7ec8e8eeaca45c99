using ResilientHost.Benchmarks.Dashboard;

namespace ResilientHost.Benchmarks.Sizes;

/// <summary>Pages of the dashboard that are open while there is light traffic, and as many connections whose answer never ends.</summary>
internal sealed class ListenerSizes() : SizeStudy("listeners", "Open dashboard pages", "What so many pages add, their other ends in this process included. A held connection is a response of an ordinary endpoint that has begun and goes on.", "pages")
{
    private const int FewestKept = 10;
    private static readonly TimeSpan Watched = TimeSpan.FromSeconds(3);

    public override IReadOnlyList<int> Sizes { get; } = [1, 10, 100, 1_000];

    public override IReadOnlyList<SizeColumn> Columns { get; } =
        [new("pages", "ms of CPU a second"), new("held connections", "ms of CPU a second"), new("pages", "B each"), new("held connections", "B each")];

    public override double[] Measure(int size)
    {
        using PagedServer server = new(mostPages: size);
        server.Request();
        var none = Figure.CpuPerSecond(Watched, server.RequestSteadily);
        var (cpu, bytes) = Open(server, PagedServer.Events, size);
        var (heldCpu, heldBytes) = Open(server, PagedServer.Held, size);
        return size < FewestKept ? [cpu - none, heldCpu - none, double.NaN, double.NaN] : [cpu - none, heldCpu - none, bytes, heldBytes];
    }

    private static (double Cpu, double BytesEach) Open(PagedServer server, string path, int size)
    {
        var before = Figure.BytesInUse();
        using OpenPages pages = new(server.Address, path, size);
        server.RequestSteadily(TimeSpan.FromSeconds(0.5));
        var bytes = (Figure.BytesInUse() - before) / (double)size;
        return (Figure.CpuPerSecond(Watched, server.RequestSteadily), bytes);
    }
}
