using Microsoft.AspNetCore.Http;
using ResilientHost.Hosting;
using ResilientHost.Timeouts;

namespace ResilientHost.Tests.Timeouts;

public class RequestTimeoutAllocationTests
{
    private readonly ManualTimeProvider _time = new();
    private readonly TimedRequest _request = new();

    [Fact]
    public void BeginAndEnd_EndpointAsksForNoToken_AllocatesNothing() => Measure(static _ => { }).ShouldBe(0);

    [Fact]
    public void BeginAndEnd_EndpointAsksForItsToken_AllocatesOneSource() =>
        Measure(static context => context.RequestAborted.IsCancellationRequested.ShouldBeFalse()).ShouldBeInRange(1, 200);

    [Fact]
    public void AMillionRequests_OneInstance_LeaveOneTimerAndNothingElse()
    {
        var clock = new MonotonicClock(_time);
        using var timeout = new RequestTimeout(clock, static () => false);

        AllocatedBytes.Of(() => Run(timeout, clock, 1_000_000, static _ => { })).ShouldBeLessThan(1_000);
        (_time.ArmedTimers, timeout.MayBeReused).ShouldBe((1, true));
    }

    private long Measure(Action<HttpContext> endpoint)
    {
        var clock = new MonotonicClock(_time);
        using var timeout = new RequestTimeout(clock, static () => false);
        return AllocatedBytes.LeastOf(() => Run(timeout, clock, 1_000, endpoint)) / 1_000;
    }

    private void Run(RequestTimeout timeout, MonotonicClock clock, int requests, Action<HttpContext> endpoint)
    {
        for (var request = 0; request < requests; request++)
        {
            _request.Begin(timeout, clock);
            endpoint(_request.Context);
            if (timeout.End())
            {
                throw new InvalidOperationException("Time stands still.");
            }
        }
    }
}
