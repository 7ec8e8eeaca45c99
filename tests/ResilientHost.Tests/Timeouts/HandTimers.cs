namespace ResilientHost.Tests.Timeouts;

/// <summary>One timer whose callback comes when the test says so, early or late, as a busy thread pool may bring it.</summary>
internal sealed class HandTimers : TimeProvider
{
    private long _timestamp;
    private HandTimer? _timer;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public List<TimeSpan> Changes => _timer!.Changes;

    public bool IsDisposed => _timer!.IsDisposed;

    public override long GetTimestamp() => Volatile.Read(ref _timestamp);

    public void Pass(TimeSpan time) => Interlocked.Add(ref _timestamp, time.Ticks);

    public void Fire() => _timer!.Callback();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
        _timer = new HandTimer(() => callback(state));

    private sealed class HandTimer(Action callback) : ITimer
    {
        public Action Callback { get; } = callback;

        public List<TimeSpan> Changes { get; } = [];

        public bool IsDisposed { get; private set; }

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            Changes.Add(dueTime);
            return !IsDisposed;
        }

        public void Dispose() => IsDisposed = true;

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
