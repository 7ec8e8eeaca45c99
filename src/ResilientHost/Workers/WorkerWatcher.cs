using System.Globalization;

namespace ResilientHost.Workers;

/// <summary>Finds workers that are silent, and pauses those that cannot pause of their own accord. On a thread of its own: a starved thread pool must not blind it.</summary>
/// <remarks>
/// The wait between two looks is a real one, whatever the registered clock; how long a worker was silent is that clock's to say. <see cref="Start"/> and <see cref="Stop"/> are the host's,
/// one after the other.
/// </remarks>
/// <param name="workers">All there are, with who supervises them; asked at every look.</param>
/// <param name="services">What workers share.</param>
internal sealed class WorkerWatcher(Func<IReadOnlyList<(Worker Worker, IWorkerControl Control)>> workers, WorkerServices services) : IDisposable
{
    public static readonly TimeSpan LongestInterval = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan ShortestInterval = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    private readonly Dictionary<Worker, Watch> _watches = [];
    private readonly ManualResetEventSlim _stopping = new();
    private Thread? _thread;

    /// <summary>How long to wait until the next look: a quarter of the shortest timeout, so that none is overrun by more.</summary>
    internal TimeSpan Interval { get; private set; } = LongestInterval;

    /// <summary>Begins to look.</summary>
    public void Start()
    {
        // Unsafe start: no context of whoever starts the host belongs to what is watched for years after.
        _thread = new Thread(Run) { IsBackground = true, Name = "ResilientHost workers", Priority = ThreadPriority.AboveNormal };
        _thread.UnsafeStart();
    }

    /// <summary>Ends the looking, in a second at most: what does not return is left behind.</summary>
    public void Stop()
    {
        _stopping.Set();
        _thread?.Join(Patience);
    }

    public void Dispose() => Stop();

    /// <summary>One look at every worker. Survives whatever it finds.</summary>
    internal void Look()
    {
        try
        {
            var enabled = services.Settings().Enabled;
            var interval = LongestInterval;
            foreach (var (worker, control) in workers())
            {
                interval = LookAt(worker, control, enabled) is { } wanted && wanted < interval ? wanted : interval;
            }

            Interval = interval > ShortestInterval ? interval : ShortestInterval;
        }
        catch (Exception exception)
        {
            services.Log.LookFailed("(all)", exception);
        }
    }

    private static string Describe(WorkerSilence silence) => silence.Activity is { } activity
        ? string.Create(CultureInfo.InvariantCulture, $"silent for {silence.For.TotalSeconds:0.###} s, last heard of in '{activity}'")
        : string.Create(CultureInfo.InvariantCulture, $"silent for {silence.For.TotalSeconds:0.###} s since it began");

    private void Run()
    {
        do
        {
            Look();
        }
        while (!_stopping.Wait(Interval));
    }

    private TimeSpan? LookAt(Worker worker, IWorkerControl control, bool enabled)
    {
        try
        {
            var policy = worker.Policy;
            if (!worker.Body.PausesItself)
            {
                Pace(worker, control, policy, enabled);
            }

            if (!worker.Body.HasContext)
            {
                return null;
            }

            var timeout = enabled ? policy.HeartbeatTimeout : null;
            Listen(worker, control, policy, timeout);
            return timeout / 4;
        }
        catch (Exception exception)
        {
            services.Log.LookFailed(worker.Name, exception);
            return null;
        }
    }

    private void Listen(Worker worker, IWorkerControl control, WorkerPolicy policy, TimeSpan? timeout)
    {
        if (timeout is null || worker.Pulse.Silence(services.Clock.Timestamp()) is not { } silence || silence.For <= timeout)
        {
            _ = timeout is null
                ? worker.Change(WorkerState.Running, WorkerTransitionCause.Manual, worker.Pulse.Run, exception: null, "not watched any more", WorkerState.Stuck)
                : worker.Change(WorkerState.Running, WorkerTransitionCause.Heartbeat, worker.Pulse.Run, exception: null, detail: null, WorkerState.Stuck);
            worker.Publish(services.Events);
            return;
        }

        // What hangs is not hidden by a pass beside it that shows a pause.
        _ = worker.Pulse.IsWorking
            ? worker.Change(WorkerState.Stuck, WorkerTransitionCause.Silence, silence.Run, exception: null, Describe(silence), WorkerState.Running, WorkerState.Paused)
            : worker.Change(WorkerState.Stuck, WorkerTransitionCause.Silence, silence.Run, exception: null, Describe(silence), WorkerState.Running);
        worker.Publish(services.Events);
        var watch = WatchOf(worker);
        if (policy.ReplaceStuck && watch.ReportedRun != silence.Run && worker.State == WorkerState.Stuck)
        {
            watch.ReportedRun = silence.Run;
            control.ReportStuck(worker, silence.Run, silence.For, silence.Activity);
        }
    }

    private void Pace(Worker worker, IWorkerControl control, WorkerPolicy policy, bool enabled)
    {
        var watch = WatchOf(worker);
        if (watch.Move is { } move)
        {
            if (!move.IsCompleted)
            {
                return;
            }

            watch.Move = null;
            move.GetAwaiter().GetResult();
        }

        // Only where it is asked for: stopping a worker is more than letting one wait.
        if (enabled && policy.PauseAt is not null && WorkerPause.IsAsked(services.Level, policy.RunsUpTo))
        {
            // Also one that its group has started again meanwhile.
            if (worker.State == WorkerState.Running)
            {
                watch.IsPaused = true;
                watch.Move = control.PauseAsync(worker, $"the service level is {services.Level!.Current}");
            }
        }
        else if (watch.IsPaused)
        {
            watch.IsPaused = false;
            watch.Move = control.ResumeAsync(worker);
        }
    }

    private Watch WatchOf(Worker worker)
    {
        if (!_watches.TryGetValue(worker, out var watch))
        {
            _watches.Add(worker, watch = new Watch());
        }

        return watch;
    }

    private sealed class Watch
    {
        public int ReportedRun { get; set; }

        public bool IsPaused { get; set; }

        /// <summary>A pause or its end that is under way: they take as long as the worker takes to stop.</summary>
        public Task? Move { get; set; }
    }
}
