using ResilientHost.Benchmarks.Ratios;

namespace ResilientHost.Benchmarks.Dashboard;

/// <summary>A second of light traffic while so many pages are open.</summary>
/// <remarks>Light, for what pages cost does not depend on the traffic, and less of it is less noise. The pages' other ends are in this process, too, and counted against us.</remarks>
internal sealed class PageCalls(PagedServer server, int pages, bool owns) : IOperation, IDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(25);

    /// <summary>Ten pages, and none, on one server by turns.</summary>
    public static (IOperation Ours, IOperation Peer) TenAndNone()
    {
        var server = new PagedServer();
        return (new PageCalls(server, pages: 10, owns: true), new PageCalls(server, pages: 0, owns: false));
    }

    public void Run(int count)
    {
        server.Show(pages);
        for (var request = 0; request < count; request++)
        {
            server.Request();
            Thread.Sleep(Pause);
        }
    }

    public void Dispose()
    {
        if (owns)
        {
            server.Dispose();
        }
    }
}
