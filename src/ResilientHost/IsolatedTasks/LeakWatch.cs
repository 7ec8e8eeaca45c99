namespace ResilientHost.IsolatedTasks;

/// <summary>Looks for leaks, on a thread of its own: a pool starved by tasks that do not end must not blind it.</summary>
/// <remarks>The wait between two looks is a real one, whatever the registered clock; how much time has passed is that clock's to say. <see cref="Start"/> and <see cref="Stop"/> are the host's.</remarks>
internal sealed class LeakWatch(IsolatedTaskRunner runner, Func<IsolatedTaskPolicy> policy, IsolatedTaskLog log) : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(1);

    private readonly ManualResetEventSlim _stopping = new();
    private Thread? _thread;
    private bool _hasFailed;

    public void Start()
    {
        // Unsafe start: no context of whoever starts the host belongs to what is done for years after.
        _thread = new Thread(Run) { IsBackground = true, Name = "ResilientHost isolated tasks", Priority = ThreadPriority.AboveNormal };
        _thread.UnsafeStart();
    }

    /// <summary>Ends it, in a second at most: a logger that does not return is left behind.</summary>
    public void Stop()
    {
        _stopping.Set();
        _thread?.Join(Patience);
    }

    public void Dispose() => Stop();

    private void Run()
    {
        while (!_stopping.Wait(Interval()))
        {
            Look();
        }
    }

    private void Look()
    {
        try
        {
            runner.Look();
            _hasFailed = false;
        }
        catch (Exception exception)
        {
            // Once per trouble, not once per second.
            if (!_hasFailed)
            {
                log.WatchFailed(exception);
            }

            _hasFailed = true;
        }
    }

    // Twice per part of the window, at least once a second.
    private TimeSpan Interval()
    {
        try
        {
            var interval = policy().LeakWindow / (2 * LeakDetector.Parts);
            return interval < Longest ? interval : Longest;
        }
        catch (Exception)
        {
            // Configuration that cannot be read is told by whoever reads it.
            return Longest;
        }
    }
}
