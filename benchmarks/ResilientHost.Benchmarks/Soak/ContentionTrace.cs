using System.Diagnostics.Tracing;
using Microsoft.Diagnostics.NETCore.Client;
using Microsoft.Diagnostics.Tracing;
using Microsoft.Diagnostics.Tracing.Etlx;

namespace ResilientHost.Benchmarks.Soak;

/// <summary>Records where threads of another process wait for locks: the runtime's own contention events, with the stack of whoever waits.</summary>
internal sealed class ContentionTrace : IDisposable
{
    private const string Runtime = "Microsoft-Windows-DotNETRuntime";
    private const int MostFrames = 5;
    private const long ContentionKeyword = 0x4000;
    private static readonly string[] Locks = ["System.Threading.", "System.Collections.", "System.Buffers.", "System.Runtime.", "System.Diagnostics.Tracing."];

    private readonly EventPipeSession _session;
    private readonly Task _copying;
    private readonly string _file = Path.Combine(Path.GetTempPath(), $"contentions-{Guid.NewGuid():n}.nettrace");

    public ContentionTrace(int process)
    {
        _session = new DiagnosticsClient(process).StartEventPipeSession([new EventPipeProvider(Runtime, EventLevel.Informational, ContentionKeyword)], requestRundown: true);
        _copying = Task.Run(CopyAsync);
    }

    /// <summary>Ends the recording; the process must live still, for it tells the names of its methods last.</summary>
    public async Task<IReadOnlyList<Contention>> EndAsync(CancellationToken cancellationToken)
    {
        await _session.StopAsync(cancellationToken);
        await _copying.WaitAsync(cancellationToken);
        return Read();
    }

    public void Dispose()
    {
        _session.Dispose();
        File.Delete(_file);
        File.Delete(_file + ".etlx");
    }

    private async Task CopyAsync()
    {
        await using var file = File.Create(_file);
        await _session.EventStream.CopyToAsync(file);
    }

    private List<Contention> Read()
    {
        using var log = new TraceLog(TraceLog.CreateFromEventPipeDataFile(_file));
        return [.. log.Events.Where(occurrence => occurrence.EventName is "Contention/Start").Select(occurrence => Describe(occurrence.TimeStamp.ToUniversalTime(), occurrence.CallStack()))];
    }

    // The lock's owner is the first that is not a lock itself, or a collection that has one.
    private static Contention Describe(DateTime at, TraceCallStack? stack)
    {
        List<string> frames = [];
        for (; stack is not null; stack = stack.Caller)
        {
            frames.Add(stack.CodeAddress.FullMethodName);
        }

        var owner = frames.FindIndex(frame => frame.Length > 0 && !Array.Exists(Locks, prefix => frame.StartsWith(prefix, StringComparison.Ordinal)));
        return owner < 0
            ? new Contention(at, frames.Find(frame => frame.Length > 0) ?? "unknown", Joined(frames.Take(MostFrames)))
            : new Contention(at, frames[owner], Joined(frames.Skip(Math.Max(0, owner - 2)).Take(MostFrames)));

        static string Joined(IEnumerable<string> frames) => string.Join(" < ", frames.Select(static frame => frame.Split('(')[0]));
    }
}
