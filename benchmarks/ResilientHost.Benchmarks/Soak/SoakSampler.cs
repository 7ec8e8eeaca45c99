using System.Diagnostics;
using System.Text.Json;

namespace ResilientHost.Benchmarks.Soak;

/// <summary>Writes a sample of its process to the standard output every second, as a line of JSON, from a thread of its own.</summary>
internal sealed class SoakSampler
{
    // What a full collection leaves is what is alive; between collections generation 2 holds what has died, too.
    private const int SecondsBetweenCollections = 10;
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private long _requests;
    private int _asked;

    public void CountRequest() => Interlocked.Increment(ref _requests);

    public void Start() => new Thread(Write) { IsBackground = true, Name = "samples" }.Start();

    private void Write()
    {
        var start = Stopwatch.GetTimestamp();
        for (var second = 0; ; second++)
        {
            Console.Out.WriteLine(JsonSerializer.Serialize(Now(Stopwatch.GetElapsedTime(start).TotalSeconds, collects: second % SecondsBetweenCollections == 0)));
            var rest = ((second + 1) * Pause) - Stopwatch.GetElapsedTime(start);
            Thread.Sleep(rest > TimeSpan.Zero ? rest : TimeSpan.Zero);
        }
    }

    private SoakSample Now(double seconds, bool collects)
    {
        if (collects)
        {
            _asked++;
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: true, compacting: true);
        }

        var last = GC.GetGCMemoryInfo(collects ? GCKind.FullBlocking : GCKind.Any);
        return new SoakSample(
            seconds,
            Interlocked.Read(ref _requests),
            Monitor.LockContentionCount,
            GC.GetTotalAllocatedBytes(),
            GC.CollectionCount(0),
            GC.CollectionCount(1),
            GC.CollectionCount(2),
            _asked,
            last.HeapSizeBytes,
            last.GenerationInfo[2].SizeAfterBytes,
            collects ? last.HeapSizeBytes - last.FragmentedBytes : 0,
            GC.GetTotalPauseDuration().TotalSeconds,
            Directory.GetDirectories("/proc/self/task").Length,
            Directory.GetFiles("/proc/self/fd").Length,
            Environment.WorkingSet);
    }
}
