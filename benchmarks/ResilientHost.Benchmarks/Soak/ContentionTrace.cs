using System.Diagnostics.Tracing;
using Microsoft.Diagnostics.NETCore.Client;
using Microsoft.Diagnostics.Tracing;
using Microsoft.Diagnostics.Tracing.Etlx;

namespace ResilientHost.Benchmarks.Soak;

/// <summary>Records where threads of another process wait for locks: the runtime's own contention events, with the stack of whoever waits.</summary>
internal sealed class ContentionTrace : IDisposable
{
    private const string Runtime = "Microsoft-Windows-DotNETRuntime";
    private const long ContentionKeyword = 0x4000;
    private static readonly string[] Locks = ["System.Threading.", "System.Collections.", "System.Buffers.", "System.Runtime."];

    private readonly EventPipeSession _session;
    private readonly Task _copying;
    private readonly string _file = Path.Combine(Path.GetTempPath(), $"contentions-{Guid.NewGuid():n}.nettrace");

    public ContentionTrace(int process)
    {
        _session = new DiagnosticsClient(process).StartEventPipeSession([new EventPipeProvider(Runtime, EventLevel.Informational, ContentionKeyword)], requestRundown: true);
        _copying = Task.Run(CopyAsync);
    }

    /// <summary>Ends the recording; the process must live still, for it tells the names of its methods last.</summary>
    /// <returns>Whose locks were waited for, how often, most often first.</returns>
    public async Task<IReadOnlyList<ContentionSource>> EndAsync(CancellationToken cancellationToken)
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

    private List<ContentionSource> Read()
    {
        using var log = new TraceLog(TraceLog.CreateFromEventPipeDataFile(_file));
        Dictionary<(string, string), int> counts = [];
        foreach (var contention in log.Events.Where(occurrence => occurrence.EventName is "Contention/Start"))
        {
            var source = SourceOf(contention.CallStack());
            counts[source] = counts.GetValueOrDefault(source) + 1;
        }

        return [.. counts.OrderByDescending(count => count.Value).Select(count => new ContentionSource(count.Key.Item1, count.Key.Item2, count.Value))];
    }

    // The lock's owner is the first that is not a lock itself, or a collection that has one.
    private static (string Method, string Stack) SourceOf(TraceCallStack? stack)
    {
        List<string> frames = [];
        for (; stack is not null; stack = stack.Caller)
        {
            frames.Add(stack.CodeAddress.FullMethodName);
        }

        var owner = frames.FindIndex(frame => frame.Length > 0 && !Array.Exists(Locks, prefix => frame.StartsWith(prefix, StringComparison.Ordinal)));
        return owner < 0
            ? (frames.Find(frame => frame.Length > 0) ?? "unknown", string.Join(" < ", frames.Take(6)))
            : (frames[owner], string.Join(" < ", frames.Skip(Math.Max(0, owner - 2)).Take(4)));
    }
}

/// <summary>Where threads waited for a lock.</summary>
/// <param name="Method">Whose lock it is.</param>
/// <param name="Stack">From where it was asked for, innermost first.</param>
/// <param name="Count">How often.</param>
internal sealed record ContentionSource(string Method, string Stack, int Count)
{
    private const string Library = "ResilientHost.";

    /// <summary>Whether it is one of the library's locks.</summary>
    public bool IsOurs => Method.StartsWith(Library, StringComparison.Ordinal) && !Method.StartsWith(Library + "Benchmarks.", StringComparison.Ordinal);
}
