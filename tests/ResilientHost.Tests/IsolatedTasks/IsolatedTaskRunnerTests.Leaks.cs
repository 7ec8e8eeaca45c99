namespace ResilientHost.Tests.IsolatedTasks;

public sealed partial class IsolatedTaskRunnerTests
{
    [Fact]
    public async Task Look_TasksPileUp_TellsOncePerEpisodeWithTheOldest()
    {
        _test.Policy = new(new IsolatedTaskOptions { LeakWindow = TimeSpan.FromSeconds(8), LeakThreshold = 5 });
        List<Task<CallOutcome>> tasks = [];
        for (var second = 0; second < 20; second++)
        {
            _test.Runner.Look();
            tasks.Add(_test.Tasks.Run("mail", _ => _gate.Task, "Send", "Mailer.cs", 12));
            _test.Time.Advance(TimeSpan.FromSeconds(1));
        }

        var entry = _test.Entries(6).ShouldHaveSingleItem();
        entry.Message.ShouldBe("Isolated tasks 'mail' pile up: 9 live, 7 more than 00:00:08 ago. The oldest has run for 9 s; it was started at Mailer.cs:12 Send, trace -.");
        _test.Runner.Snapshot().ShouldHaveSingleItem().IsLeaking.ShouldBeTrue();
        _test.Entries(7).ShouldBeEmpty();

        _gate.SetResult();
        await Task.WhenAll(tasks);
        _test.Runner.Look();
        _test.Entries(7).ShouldHaveSingleItem().Message.ShouldBe("Isolated tasks 'mail' pile up no more: 0 live.");
        _test.Runner.Snapshot().ShouldHaveSingleItem().IsLeaking.ShouldBeFalse();
    }

    [Fact]
    public async Task Look_BurstsThatGrowButEnd_AreNoLeak()
    {
        _test.Policy = new(new IsolatedTaskOptions { LeakWindow = TimeSpan.FromSeconds(8), LeakThreshold = 2 });
        for (var second = 1; second < 40; second++)
        {
            var gate = new TaskCompletionSource();
            var burst = Enumerable.Range(0, second * 2).Select(_ => _test.Tasks.Run("mail", _ => gate.Task)).ToArray();
            _test.Time.Advance(TimeSpan.FromSeconds(0.5));
            _test.Runner.Look();
            gate.SetResult();
            await Task.WhenAll(burst);
            _test.Time.Advance(TimeSpan.FromSeconds(0.5));
        }

        _test.Entries(6).ShouldBeEmpty();
    }
}
