using System.Diagnostics;

namespace ResilientHost.Benchmarks.Ratios;

/// <summary>Threads that use one instance at the same time. They live as long as the team: starting them is not measured.</summary>
internal sealed class ThreadTeam : IDisposable
{
    private const int Batch = 256;
    private readonly Barrier _barrier;
    private readonly Thread[] _threads;
    private readonly long[] _operations;
    private readonly long[] _bytes;
    private readonly long[] _ends;
    private IOperation? _operation;
    private long _deadline;

    public ThreadTeam(int size)
    {
        _barrier = new Barrier(size + 1);
        _operations = new long[size];
        _bytes = new long[size];
        _ends = new long[size];
        _threads = new Thread[size];
        for (var member = 0; member < size; member++)
        {
            var index = member;
            _threads[index] = new Thread(() => Work(index)) { IsBackground = true, Name = $"ratio {index}" };
            _threads[index].Start();
        }
    }

    /// <summary>All members do the operation until the time is over.</summary>
    public Slice Run(IOperation operation, TimeSpan duration)
    {
        _operation = operation;
        var cpu = CpuClock.ProcessNanoseconds();
        var start = Stopwatch.GetTimestamp();
        _deadline = start + (long)(duration.TotalSeconds * Stopwatch.Frequency);
        _barrier.SignalAndWait();
        _barrier.SignalAndWait();
        var seconds = Stopwatch.GetElapsedTime(start, _ends.Max()).TotalSeconds;
        return new Slice(_operations.Sum(), seconds, (CpuClock.ProcessNanoseconds() - cpu) / 1e9 / seconds, _bytes.Sum());
    }

    public void Dispose()
    {
        _operation = null;
        _barrier.SignalAndWait();
        foreach (var thread in _threads)
        {
            thread.Join();
        }

        _barrier.Dispose();
    }

    private void Work(int index)
    {
        while (true)
        {
            _barrier.SignalAndWait();
            if (_operation is not { } operation)
            {
                return;
            }

            var operations = 0L;
            var bytes = GC.GetAllocatedBytesForCurrentThread();
            long now;
            do
            {
                operation.Run(Batch);
                operations += Batch;
                now = Stopwatch.GetTimestamp();
            }
            while (now < _deadline);

            // Written once at the end: neighbours in these arrays share cache lines.
            _bytes[index] = GC.GetAllocatedBytesForCurrentThread() - bytes;
            _operations[index] = operations;
            _ends[index] = now;
            _barrier.SignalAndWait();
        }
    }
}
