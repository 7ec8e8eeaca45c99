namespace ResilientHost.Tests;

/// <summary>Time that stands still, and one thread with it where it asks for the time: to look at others meanwhile.</summary>
internal sealed class HeldUpTime : TimeProvider
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private volatile Hold? _hold;

    /// <summary>Waits until a thread waits for something.</summary>
    public static void AwaitWaiting(Thread thread) =>
        SpinWait.SpinUntil(() => thread.ThreadState.HasFlag(ThreadState.WaitSleepJoin), Patience).ShouldBeTrue("the thread must wait");

    /// <summary>Starts work on a thread of its own, and comes back when that has asked for the time.</summary>
    public Thread HoldUp(ThreadStart work)
    {
        Thread thread = new(work) { IsBackground = true };
        var hold = _hold = new Hold(thread);
        thread.Start();
        hold.Reached.Task.Wait(Patience).ShouldBeTrue();
        return thread;
    }

    public void LetGo() => _hold?.Released.TrySetResult();

    public override long GetTimestamp()
    {
        if (_hold is { } hold && hold.Thread == Thread.CurrentThread)
        {
            hold.Reached.TrySetResult();
            hold.Released.Task.Wait(Patience);
        }

        return 0;
    }

    private sealed record Hold(Thread Thread)
    {
        public TaskCompletionSource Reached { get; } = new();

        public TaskCompletionSource Released { get; } = new();
    }
}
