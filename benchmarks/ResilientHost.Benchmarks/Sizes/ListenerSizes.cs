using ResilientHost.Benchmarks.Dashboard;

namespace ResilientHost.Benchmarks.Sizes;

/// <summary>Pages of the dashboard that are open while there is light traffic, and as many connections whose answer never ends.</summary>
internal sealed class ListenerSizes() : SizeStudy("listeners", "Open dashboard pages", "What so many pages add, their other ends in this process included. A held connection is a response of an ordinary endpoint that has begun and goes on.", "pages")
{
    private const int FewestKept = 10;
    private const int Turns = 2;
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(0.3);
    private static readonly TimeSpan Watched = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(6);
    private bool _isWarm;

    public override IReadOnlyList<int> Sizes { get; } = [1, 10, 100, 1_000];

    public override IReadOnlyList<SizeColumn> Columns { get; } =
        [new("pages", "ms of CPU a second"), new("held connections", "ms of CPU a second"), new("pages", "B each"), new("held connections", "B each")];

    public override double[] Measure(int size)
    {
        using PagedServer server = new(mostPages: size);
        if (!_isWarm)
        {
            Open(server, PagedServer.Events, 1, WarmUp);
            _isWarm = true;
        }

        // In turns: what the process does by itself changes while it is measured.
        double none = 0, ofPages = 0, ofHeld = 0, bytes = 0, heldBytes = 0;
        for (var turn = 0; turn < Turns; turn++)
        {
            none += Figure.CpuPerSecond(Watched, server.RequestSteadily) / Turns;
            (var cpu, bytes) = Open(server, PagedServer.Events, size, Watched);
            (var heldCpu, heldBytes) = Open(server, PagedServer.Held, size, Watched);
            ofPages += cpu / Turns;
            ofHeld += heldCpu / Turns;
        }

        return size < FewestKept ? [ofPages - none, ofHeld - none, double.NaN, double.NaN] : [ofPages - none, ofHeld - none, bytes, heldBytes];
    }

    private static (double Cpu, double BytesEach) Open(PagedServer server, string path, int size, TimeSpan watched)
    {
        var before = Figure.BytesInUse();
        using OpenPages pages = new(server.Address, path, size);
        server.RequestSteadily(Settling);
        var bytes = (Figure.BytesInUse() - before) / (double)size;
        return (Figure.CpuPerSecond(watched, server.RequestSteadily), bytes);
    }
}
