using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using ResilientHost.Hosting;
using ResilientHost.Pipeline;
using ResilientHost.Recovery;
using ResilientHost.Telemetry;
using ResilientHost.Timeouts;

namespace ResilientHost.Tests.Pipeline;

public sealed class RequestStatePoolTests : IDisposable
{
    private static readonly EndpointPlan Plan = new() { Key = "GET /", Tag = "GET /" };

    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().AddSingleton<ResilienceMeter>().BuildServiceProvider();
    private readonly MonotonicClock _clock = new(new ManualTimeProvider());
    private readonly TimeoutLog _log;

    public RequestStatePoolTests() =>
        _log = new TimeoutLog(NullLogger<TimeoutLog>.Instance, () => new RecoveryPolicy(new RecoveryOptions(), isDevelopment: false), _clock);

    public void Dispose()
    {
        _log.Dispose();
        _services.Dispose();
    }

    [Fact]
    public void Rent_AfterReturn_GivesTheStateBackWithoutTheRequest() => OnThreadOfItsOwn(() =>
    {
        using var pool = Pool();
        var state = Rent(pool);
        pool.Return(state);

        state.Context.ShouldBeNull();
        Rent(pool).ShouldBeSameAs(state);
    });

    [Fact]
    public void Rent_SeveralAtATime_GivesEachItsOwn() => OnThreadOfItsOwn(() =>
    {
        using var pool = Pool();
        var (first, second) = (Rent(pool), Rent(pool));
        pool.Return(first);
        pool.Return(second);

        RequestState[] again = [Rent(pool), Rent(pool)];

        again.ShouldBe([first, second], ignoreOrder: true);
    });

    [Fact]
    public void Rent_StateOfAnotherHost_IsNotGiven() => OnThreadOfItsOwn(() =>
    {
        using var one = Pool();
        using var other = Pool();
        var state = Rent(one);
        one.Return(state);

        Rent(other).ShouldNotBeSameAs(state);
        Rent(one).ShouldBeSameAs(state);
    });

    [Fact]
    public void Rent_OtherHostIsGone_LetsGoOfWhatItLeft() => OnThreadOfItsOwn(() =>
    {
        var gone = Pool();
        var left = new WeakReference<RequestState>(null!);
        Leave(gone, left);
        gone.Dispose();

        using var pool = Pool();
        Rent(pool);
        GC.Collect();

        left.TryGetTarget(out _).ShouldBeFalse();
    });

    [Fact]
    public void Return_HostIsGone_KeepsNothing() => OnThreadOfItsOwn(() =>
    {
        var gone = Pool();
        var state = Rent(gone);
        gone.Dispose();

        gone.Return(state);

        Rent(gone).ShouldNotBeSameAs(state);
    });

    [Fact]
    public void Return_OtherHostIsGone_TakesItsPlace() => OnThreadOfItsOwn(() =>
    {
        var gone = Pool();
        var left = new WeakReference<RequestState>(null!);
        Leave(gone, left);
        gone.Dispose();

        using var pool = Pool();
        pool.Return(Rent(pool));
        GC.Collect();

        left.TryGetTarget(out _).ShouldBeFalse();
    });

    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
    private static void Leave(RequestStatePool pool, WeakReference<RequestState> left)
    {
        var state = Rent(pool);
        left.SetTarget(state);
        pool.Return(state);
    }

    private static RequestState Rent(RequestStatePool pool) => pool.Rent(new DefaultHttpContext(), Plan, default);

    // What a thread keeps is not to be met by other tests, nor theirs by these.
    private static void OnThreadOfItsOwn(Action test)
    {
        Exception? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                test();
            }
            catch (Exception exception)
            {
                failure = exception;
            }
        });
        thread.Start();
        thread.Join();
        failure.ShouldBeNull();
    }

    private RequestStatePool Pool() =>
        new(new LayerGates(_clock), _clock, new TimeoutMetrics(_services.GetRequiredService<ResilienceMeter>()), _log);
}
