using ResilientHost.History;

namespace ResilientHost.Tests.History;

public sealed class CallWatchTests
{
    [Fact]
    public void Count_ByManyThreads_LosesNone()
    {
        const int each = 50_000;
        var watch = new CallWatch();
        var read = new CallTotals();
        var seen = new CallTotals();
        using var go = new ManualResetEventSlim();
        var threads = Enumerable.Range(0, 8).Select(number => new Thread(() =>
        {
            go.Wait();
            for (var call = 0; call < each; call++)
            {
                watch.Count((CallEnd)((call + number) % 5));
            }
        })).ToList();
        threads.ForEach(thread => thread.Start());
        go.Set();
        while (threads.Exists(thread => thread.IsAlive))
        {
            // What the recorder does meanwhile: differences of readings.
            var total = watch.Read();
            read += total - seen;
            seen = total;
        }

        threads.ForEach(thread => thread.Join());
        read += watch.Read() - seen;

        read.ShouldBe(new CallTotals(8 * each / 5, 8 * each / 5, 8 * each / 5, 8 * each / 5, 8 * each / 5));
    }

    [Fact]
    public void TryTake_MoreThanSixtyFour_ClosesUntilOpened()
    {
        var watch = new CallWatch();

        Taken(watch, 100).ShouldBe(64);
        watch.IsOpen.ShouldBeFalse();
        Taken(watch, 1).ShouldBe(0);

        watch.Open();
        watch.IsOpen.ShouldBeTrue();
        Taken(watch, 100).ShouldBe(64);
    }

    [Fact]
    public void TakeDurations_WhileOthersMeasure_LosesNone()
    {
        const int each = 20_000;
        var watch = new CallWatch();
        using var go = new ManualResetEventSlim();
        var threads = Enumerable.Range(0, 4).Select(_ => new Thread(() =>
        {
            go.Wait();
            for (var call = 0; call < each; call++)
            {
                watch.Measure(TimeSpan.FromMilliseconds(call % 100));
            }
        })).ToList();
        var taken = 0;
        var into = new int[LatencyBuckets.Count];
        threads.ForEach(thread => thread.Start());
        go.Set();
        while (threads.Exists(thread => thread.IsAlive))
        {
            taken += watch.TakeDurations(into);
        }

        threads.ForEach(thread => thread.Join());
        taken += watch.TakeDurations(into);

        (taken, into.Sum()).ShouldBe((4 * each, 4 * each));
    }

    private static int Taken(CallWatch watch, int calls) => Enumerable.Range(0, calls).Count(_ => watch.TryTake());
}
