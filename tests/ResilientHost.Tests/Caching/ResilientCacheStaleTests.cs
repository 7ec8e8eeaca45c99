using Microsoft.Extensions.Caching.Hybrid;
using Polly.Timeout;

namespace ResilientHost.Tests.Caching;

public sealed class ResilientCacheStaleTests
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    [Fact]
    public async Task Read_OfAnExpiredValueDuringAnOutage_GivesItUntilStaleForIsOver()
    {
        using var host = new CacheUnderTest(options => (options.Expiration, options.StaleFor, options.FailureDelay) = (Minute, 10 * Minute, TimeSpan.FromSeconds(5)));
        var source = new Source();
        await host.ReadAsync(source);
        source.Failure = new IOException("down");
        host.Time.Advance(Minute);
        for (var i = 0; i < 600; i++)
        {
            (await host.ReadAsync(source)).ShouldBe("v");
            host.Time.Advance(TimeSpan.FromSeconds(1));
        }

        // One call when it was made, and one each 5 s of 10 min.
        source.Calls.ShouldBe(1 + 120);
        await Should.ThrowAsync<IOException>(host.ReadAsync(source).AsTask());
        host.Reads.Count(read => Equals(read, "stale")).ShouldBe(600);
        host.Logs.Entries.Count(log => log.EventId.Id == 2700).ShouldBe(1, "a storm is one line and its summaries");
    }

    [Fact]
    public async Task Read_AfterStaleForWasReloadedToZero_GivesNoStaleValue()
    {
        using var host = new CacheUnderTest(options => options.Expiration = Minute);
        var source = new Source();
        await host.ReadAsync(source);
        host.Time.Advance(Minute);
        source.Failure = new IOException("down");
        host.Configure(options => options.StaleFor = TimeSpan.Zero);

        await Should.ThrowAsync<IOException>(host.ReadAsync(source).AsTask());
    }

    [Fact]
    public async Task Read_SlowerThanTheSoftTimeout_GivesTheStaleValueAndKeepsTheNewOne()
    {
        using var host = new CacheUnderTest(options => (options.Expiration, options.SoftTimeout) = (Minute, TimeSpan.FromMilliseconds(100)));
        await host.ReadAsync(new Source("old"));
        host.Time.Advance(Minute);
        var slow = new Source("new").Hold();
        var read = host.ReadAsync(slow).AsTask();
        await slow.Called;
        read.IsCompleted.ShouldBeFalse();
        host.Time.Advance(TimeSpan.FromMilliseconds(100));
        (await read).ShouldBe("old");
        (await host.ReadAsync(slow)).ShouldBe("old");
        slow.Token.IsCancellationRequested.ShouldBeFalse();
        slow.Open();
        await CacheUnderTest.UntilAsync(() => host.Core.IsIdle);

        (await host.ReadAsync(slow)).ShouldBe("new");
        slow.Calls.ShouldBe(1);
        host.Reads.ShouldBe(["miss", "stale", "stale", "hit"]);
    }

    [Fact]
    public async Task Read_WithSoftTimeoutZero_WaitsForNothingWhileThereIsAStaleValue()
    {
        using var host = new CacheUnderTest(options => (options.Expiration, options.SoftTimeout) = (Minute, TimeSpan.Zero));
        await host.ReadAsync(new Source("old"));
        host.Time.Advance(Minute);
        var slow = new Source("new").Hold();
        var read = host.ReadAsync(slow);

        read.IsCompletedSuccessfully.ShouldBeTrue();
        (await read).ShouldBe("old");
        await slow.Called;
        slow.Open();
        await CacheUnderTest.UntilAsync(() => host.Core.IsIdle);
        (await host.ReadAsync(slow)).ShouldBe("new");
    }

    [Fact]
    public async Task Read_WithoutAStaleValue_WaitsBeyondTheSoftTimeoutForTheHardOne()
    {
        using var host = new CacheUnderTest(options => (options.SoftTimeout, options.HardTimeout) = (TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(3)));
        var slow = new Source().Hold();
        var read = host.ReadAsync(slow).AsTask();
        await slow.Called;
        host.Time.Advance(TimeSpan.FromSeconds(2));
        read.IsCompleted.ShouldBeFalse();
        host.Time.Advance(TimeSpan.FromSeconds(1));

        await Should.ThrowAsync<TimeoutRejectedException>(read);
        await CacheUnderTest.UntilAsync(() => slow.Token.IsCancellationRequested);
    }

    [Fact]
    public async Task Read_SlowerThanTheHardTimeout_GivesTheStaleValue()
    {
        using var host = new CacheUnderTest(options => (options.Expiration, options.HardTimeout) = (Minute, TimeSpan.FromSeconds(3)));
        await host.ReadAsync(new Source("old"));
        host.Time.Advance(Minute);
        var slow = new Source("new").Hold();
        var read = host.ReadAsync(slow).AsTask();
        await slow.Called;
        host.Time.Advance(TimeSpan.FromSeconds(3));

        (await read).ShouldBe("old");
        await CacheUnderTest.UntilAsync(() => slow.Token.IsCancellationRequested);
    }

    [Fact]
    public async Task Read_OfAValueRemovedWhileItsFactoryFails_DoesNotGiveTheRemovedOne()
    {
        using var host = new CacheUnderTest(options => options.Expiration = Minute);
        await host.ReadAsync(new Source("old"));
        host.Time.Advance(Minute);
        var failing = new Source { Failure = new IOException("down") }.Hold();
        var read = host.ReadAsync(failing).AsTask();
        await failing.Called;
        await host.Cache.RemoveAsync("k");
        failing.Open();

        await Should.ThrowAsync<IOException>(read);
    }

    [Fact]
    public async Task Read_InTheLastPartOfItsTime_RefreshesInTheBackgroundOnce()
    {
        using var host = new CacheUnderTest(options => (options.Expiration, options.EagerRefresh) = (Minute, 0.8));
        await host.ReadAsync(new Source("old"));
        var next = new Source("new").Hold();
        host.Time.Advance(TimeSpan.FromSeconds(47));
        (await host.ReadAsync(next)).ShouldBe("old");
        next.Calls.ShouldBe(0);
        host.Time.Advance(TimeSpan.FromSeconds(1));
        for (var i = 0; i < 100; i++)
        {
            (await host.ReadAsync(next)).ShouldBe("old");
        }

        await next.Called;
        next.Open();
        await CacheUnderTest.UntilAsync(() => host.Core.IsIdle);
        (await host.ReadAsync(next)).ShouldBe("new");
        next.Calls.ShouldBe(1);
    }

    [Fact]
    public async Task Refresh_ThatFailsInTheBackground_IsTriedAgainAfterTheFailureDelay()
    {
        using var host = new CacheUnderTest(options => (options.Expiration, options.EagerRefresh, options.FailureDelay) = (Minute, 0.5, TimeSpan.FromSeconds(5)));
        await host.ReadAsync(new Source("old"));
        var failing = new Source { Failure = new IOException("down") };
        host.Time.Advance(TimeSpan.FromSeconds(30));
        await host.ReadAsync(failing);
        await host.Logs.WaitForAsync(log => log.EventId.Id == 2700, CacheUnderTest.Patience);
        await CacheUnderTest.UntilAsync(() => host.Core.IsIdle);
        await host.ReadAsync(failing);
        failing.Calls.ShouldBe(1);
        host.Time.Advance(TimeSpan.FromSeconds(5));
        await host.ReadAsync(failing);

        await CacheUnderTest.UntilAsync(() => failing.Calls == 2);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(90)]
    public async Task Refresh_WhoseValueIsNotKeptHere_LeavesTheStaleOneToBeRefreshedAgain(int secondsAfterTheOthersValue)
    {
        var shared = new ScriptedDistributedCache();
        var time = new ManualTimeProvider();
        void OneMinute(CacheOptions options) => (options.Expiration, options.SoftTimeout) = (Minute, TimeSpan.Zero);
        using var host = new CacheUnderTest(OneMinute, shared, time);
        using var other = new CacheUnderTest(OneMinute, shared, time);
        await host.ReadAsync(new Source("old"));
        await host.IdleAsync();
        time.Advance(Minute);
        await other.Cache.SetAsync("k", "other");
        time.Advance(TimeSpan.FromSeconds(secondsAfterTheOthersValue));
        (await host.ReadAsync(new Source("aside"), options: new() { Flags = HybridCacheEntryFlags.DisableLocalCacheWrite | HybridCacheEntryFlags.DisableDistributedCacheWrite })).ShouldBe("old");
        await host.IdleAsync();

        (await host.ReadAsync(new Source("new"))).ShouldBe("old");
        await host.IdleAsync();
        (await host.ReadAsync(new Source("never"))).ShouldBe(secondsAfterTheOthersValue == 0 ? "other" : "new");
    }

    [Fact]
    public async Task Refresh_WhoseTagsThrow_FailsNobodyAndIsTriedAgainAfterTheFailureDelay()
    {
        using var host = new CacheUnderTest(options => (options.Expiration, options.SoftTimeout, options.FailureDelay) = (Minute, TimeSpan.Zero, TimeSpan.FromSeconds(5)));
        await host.ReadAsync(new Source("old"));
        host.Time.Advance(Minute);
        var tags = Enumerable.Range(0, 1).Select<int, string>(static _ => throw new IOException("no tags"));
        (await host.Cache.GetOrCreateAsync("k", static _ => ValueTask.FromResult<string?>("never"), tags: tags)).ShouldBe("old");
        host.Time.Advance(TimeSpan.FromSeconds(5));
        (await host.ReadAsync(new Source("new"))).ShouldBe("old");
        await host.IdleAsync();

        (await host.ReadAsync(new Source("never"))).ShouldBe("new");
    }

    [Theory]
    [InlineData(48)]
    [InlineData(60)]
    public async Task Refresh_OfAValueThatWasReplacedSinceItWasRead_IsNotBegun(int ageInSeconds)
    {
        using var host = new CacheUnderTest(options => (options.Expiration, options.EagerRefresh, options.SoftTimeout) = (Minute, 0.8, TimeSpan.Zero));
        await host.ReadAsync(new Source("old"));
        host.Time.Advance(TimeSpan.FromSeconds(ageInSeconds));
        var source = new Source("never");
        (await host.Cache.GetOrCreateAsync("k", source.CallAsync, tags: TagsThatReplaceIt())).ShouldBe("old");
        await host.IdleAsync();

        (await host.ReadAsync(source)).ShouldBe("replaced");
        source.Calls.ShouldBe(0);

        // Tags are read between the look at the value and the start of its refresh.
        IEnumerable<string> TagsThatReplaceIt()
        {
            host.Cache.SetAsync("k", "replaced").AsTask().IsCompletedSuccessfully.ShouldBeTrue();
            yield return "t";
        }
    }

    [Fact]
    public async Task Refresh_StartedInAFactory_WaitsForAPlaceOfItsOwn()
    {
        using var host = new CacheUnderTest(options => (options.Expiration, options.EagerRefresh, options.MaxConcurrentFactories) = (Minute, 0.5, 1));
        await host.ReadAsync(new Source("b"), "b");
        host.Time.Advance(TimeSpan.FromSeconds(30));
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var isOuterRunning = true;
        var ranBeside = false;
        var outer = host.Cache.GetOrCreateAsync("a", async token =>
        {
            await host.Cache.GetOrCreateAsync("b", _ => ValueTask.FromResult<string?>((ranBeside |= Volatile.Read(ref isOuterRunning)) ? "beside" : "alone"), cancellationToken: token);
            await gate.Task;
            Volatile.Write(ref isOuterRunning, false);
            return "a";
        }).AsTask();
        await CacheUnderTest.UntilAsync(() => host.Time.ArmedTimers == 2 || Volatile.Read(ref ranBeside));
        gate.SetResult();
        await outer;
        await host.IdleAsync();

        ranBeside.ShouldBeFalse();
        (await host.ReadAsync(new Source("never"), "b")).ShouldBe("alone");
    }
}
