using System.Runtime.InteropServices;

namespace ResilientHost.Workers;

/// <summary>What keeps a pass from beginning. The default value is nothing.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly struct WorkerObstacle
{
    private readonly IServiceLevel? _level;
    private readonly CircuitBreaker? _breaker;
    private readonly TimeSpan? _retryAfter;

    public WorkerObstacle(IServiceLevel level) => _level = level;

    public WorkerObstacle(CircuitBreaker breaker, TimeSpan? retryAfter)
    {
        _breaker = breaker;
        _retryAfter = retryAfter;
    }

    public WorkerObstacle(Bulkhead bulkhead) => Bulkhead = bulkhead;

    /// <summary>The bulkhead that has no place. That is no pause: the worker goes on as soon as others have done their work.</summary>
    public Bulkhead? Bulkhead { get; }

    public bool IsNone => _level is null && _breaker is null && Bulkhead is null;

    /// <summary>Why the worker pauses; <see langword="null"/> if it does not.</summary>
    public WorkerTransitionCause? Cause => _level is not null ? WorkerTransitionCause.ServiceLevel : _breaker is not null ? WorkerTransitionCause.Circuit : null;

    /// <summary>For people.</summary>
    public string? Describe() => _level is { } level
        ? $"the service level is {level.Current}"
        : _breaker is { } breaker ? $"the circuit '{breaker.Name}' is {breaker.State}" : null;

    /// <summary>Waits until it may have gone, at most for a while; a token that is cancelled ends the wait without an exception.</summary>
    /// <param name="time">For the timer.</param>
    /// <param name="atMost">The longest wait.</param>
    /// <param name="isThere">Whether it is still there, asked once nothing can be missed any more.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async Task WaitAsync(TimeProvider time, TimeSpan atMost, Func<bool> isThere, CancellationToken cancellationToken)
    {
        var level = _level;
        var breaker = _breaker;
        var wait = _retryAfter is { } retryAfter && retryAfter < atMost ? retryAfter : atMost;
        var wake = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        void OnLevel(ServiceLevelChange change) => wake.TrySetResult();
        void OnCircuit(CircuitTransition transition) => wake.TrySetResult();

        level?.Changed += OnLevel;
        breaker?.Transitioned += OnCircuit;
        try
        {
            using var timer = time.CreateTimer(static state => ((TaskCompletionSource)state!).TrySetResult(), wake, wait, Timeout.InfiniteTimeSpan);
            using var stop = cancellationToken.UnsafeRegister(static state => ((TaskCompletionSource)state!).TrySetResult(), wake);
            if (isThere())
            {
                await wake.Task;
            }
        }
        finally
        {
            level?.Changed -= OnLevel;
            breaker?.Transitioned -= OnCircuit;
        }
    }
}
