using ResilientHost.Hosting;
using ResilientHost.Timeouts;

namespace ResilientHost.Tests.Timeouts;

public class RequestTimeoutStressTests
{
    private const int Requests = 10_000;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task BeginAndEnd_WhileTimersFire_NeverTouchAnEndedRequestAndNeverLoseADeadline(int seed)
    {
        var time = new ManualTimeProvider();
        var clock = new MonotonicClock(time);
        using var stop = new CancellationTokenSource();
        var passing = Task.Factory.StartNew(
            () =>
            {
                var random = new Random(seed);
                while (!stop.IsCancellationRequested)
                {
                    time.Advance(TimeSpan.FromTicks(random.Next(0, 20_000)));
                }
            },
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default);

        var tally = await Task.Factory.StartNew(() => Serve(new Random(-seed), clock), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        await stop.CancelAsync();
        await passing;

        (tally.LateTouches, tally.Lost, tally.Contradictions).ShouldBe((0, 0, 0));
        tally.Fired.ShouldBeGreaterThan(0);
        tally.Overran.ShouldBeGreaterThan(0);
        tally.InTime.ShouldBeGreaterThan(0);
        time.ArmedTimers.ShouldBe(0);
    }

    [Fact]
    public void Token_AskedFirstByTwoThreadsWhileTheTimerFires_IsOneAndIsCancelled()
    {
        var time = new ManualTimeProvider();
        var clock = new MonotonicClock(time);
        using var start = new Barrier(3);
        var (asked, tokens, differing, deaf) = ((RequestTimeout?)null, new CancellationToken[2], 0, 0);
        Thread[] askers = [Asker(0), Asker(1)];
        for (var i = 0; i < Requests / 10; i++)
        {
            using var timeout = new RequestTimeout(clock, static () => false);
            asked = timeout;
            new TimedRequest().Begin(timeout, clock);
            start.SignalAndWait(TestContext.Current.CancellationToken);
            time.Advance(TimedRequest.Time);
            start.SignalAndWait(TestContext.Current.CancellationToken);
            deaf += tokens[0].IsCancellationRequested && tokens[1].IsCancellationRequested ? 0 : 1;
            differing += tokens[0] == tokens[1] || tokens.Contains(new CancellationToken(canceled: true)) ? 0 : 1;
            timeout.End();
        }

        Array.ForEach(askers, static asker => asker.Join());
        (differing, deaf).ShouldBe((0, 0));

        Thread Asker(int number)
        {
            var thread = new Thread(() =>
            {
                for (var i = 0; i < Requests / 10; i++)
                {
                    start.SignalAndWait();

                    // Not the context, which is for one thread at a time: where two look a feature up, one of them may be given an empty one that the context makes itself.
                    tokens[number] = asked!.RequestAborted;
                    start.SignalAndWait();
                }
            })
            { IsBackground = true };
            thread.Start();
            return thread;
        }
    }

    private static Tally Serve(Random random, MonotonicClock clock)
    {
        var tally = new Tally();
        var timeout = new RequestTimeout(clock, static () => false);
        for (var i = 0; i < Requests; i++)
        {
            var request = new TimedRequest();
            timeout.Begin(request.Context, TimeSpan.FromMilliseconds(random.Next(1, 8)), TimeSpan.FromMilliseconds(random.Next(1, 4)), clock.Timestamp(), request);
            var token = random.Next(2) == 0 ? request.Context.RequestAborted : CancellationToken.None;
            var waitsForTimeout = random.Next(16) == 0;
            if (waitsForTimeout)
            {
                // Should the timer have been lost between two requests, nothing would ever come.
                tally.Lost += Comes(() => timeout.HasFired) ? 0 : 1;
                var waitsForOverrun = random.Next(2) == 0;
                tally.Lost += !waitsForOverrun || Comes(() => timeout.HasOverrun) ? 0 : 1;
            }
            else
            {
                Thread.SpinWait(random.Next(0, 400));
            }

            var fired = timeout.End();
            request.BeOver();
            tally.Add(request, timeout, fired, token);
            if (!timeout.MayBeReused)
            {
                timeout.Dispose();
                timeout = new RequestTimeout(clock, static () => false);
            }
        }

        timeout.Dispose();
        return tally;
    }

    // Without the sleeps of SpinUntil, which would be most of the test's time.
    private static bool Comes(Func<bool> condition)
    {
        var spinner = default(SpinWait);
        for (var turn = 0; turn < 5_000_000 && !condition(); turn++)
        {
            spinner.SpinOnce(sleep1Threshold: -1);
        }

        return condition();
    }

    private sealed class Tally
    {
        private readonly List<TimedRequest> _requests = [];

        public int InTime { get; private set; }

        public int Fired { get; private set; }

        public int Overran { get; private set; }

        public int Lost { get; set; }

        public int Contradictions { get; private set; }

        public int LateTouches => _requests.Sum(request => request.LateTouches);

        public void Add(TimedRequest request, RequestTimeout timeout, bool fired, CancellationToken token)
        {
            _requests.Add(request);
            InTime += fired ? 0 : 1;
            Fired += fired ? 1 : 0;
            Overran += timeout.HasOverrun ? 1 : 0;

            // An overrun is an abort, an abort is an overrun; a request that was in time has a token that nobody cancelled.
            Contradictions += (timeout.HasOverrun ? 1 : 0) == request.Server.Aborts ? 0 : 1;
            Contradictions += fired != timeout.HasFired || (!fired && token.IsCancellationRequested) || (timeout.HasOverrun && !fired) ? 1 : 0;
        }
    }
}
