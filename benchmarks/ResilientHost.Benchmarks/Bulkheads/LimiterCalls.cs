using System.Threading.RateLimiting;
using ResilientHost.Benchmarks.Ratios;

namespace ResilientHost.Benchmarks.Bulkheads;

/// <summary>The framework's <see cref="ConcurrencyLimiter"/>: acquire and dispose, never waits.</summary>
internal sealed class LimiterCalls : IOperation
{
    private const int Room = 64;
    private readonly ConcurrencyLimiter _limiter;

    private LimiterCalls(int permits) =>
        _limiter = new ConcurrencyLimiter(new ConcurrencyLimiterOptions { PermitLimit = permits, QueueLimit = 0 });

    public static LimiterCalls WithRoom() => new(Room);

    public static LimiterCalls Full()
    {
        var calls = new LimiterCalls(1);
        return calls._limiter.AttemptAcquire().IsAcquired ? calls : throw new InvalidOperationException("The first call must get in.");
    }

    public void Run(int count)
    {
        for (var call = 0; call < count; call++)
        {
            using var lease = _limiter.AttemptAcquire();
        }
    }
}

/// <summary>The same by the way that may wait, with room: it does not.</summary>
internal sealed class LimiterAsyncCalls : IOperation
{
    private readonly ConcurrencyLimiter _limiter = new(new ConcurrencyLimiterOptions { PermitLimit = 64, QueueLimit = 64 });

    public void Run(int count) => RunAsync(count).GetAwaiter().GetResult();

    private async Task RunAsync(int count)
    {
        for (var call = 0; call < count; call++)
        {
            using var lease = await _limiter.AcquireAsync(1, CancellationToken.None);
        }
    }
}

/// <summary>What people write by hand: a semaphore that is asked without waiting.</summary>
internal sealed class SemaphoreCalls : IOperation
{
    private readonly SemaphoreSlim _semaphore = new(64, 64);

    public void Run(int count)
    {
        for (var call = 0; call < count; call++)
        {
            if (_semaphore.Wait(0))
            {
                _semaphore.Release();
            }
        }
    }
}
