using ResilientHost.Workers;

namespace ResilientHost.Tests.Workers;

/// <summary>Workers that cannot pause of their own accord: the watcher stops them and starts them again.</summary>
public sealed class WorkerPacingTests : IDisposable
{
    private readonly IterationsUnderTest _under = new(options => options.PauseAt = ServiceLevel.Essential, hasContext: false);
    private readonly ScriptedControl _control = new();
    private readonly WorkerWatcher _watcher;

    public WorkerPacingTests() => _watcher = new WorkerWatcher(() => [(_under.Worker, _control)], _under.Shared);

    public void Dispose()
    {
        _watcher.Dispose();
        _under.Dispose();
    }

    [Fact]
    public void Look_AtTheLevelItPausesAt_StopsItAndStartsItAgainAfter()
    {
        LookAt(ServiceLevel.Reduced);
        LookAt(ServiceLevel.Essential);
        LookAt(ServiceLevel.Survival);
        LookAt(ServiceLevel.Reduced);
        LookAt(ServiceLevel.Normal);

        _control.Moves.ShouldBe(["pause: the service level is Essential", "resume"]);
    }

    [Fact]
    public void Look_WhileAPauseIsUnderWay_WaitsForItsEnd()
    {
        _control.Pausing = new TaskCompletionSource();
        LookAt(ServiceLevel.Survival);
        LookAt(ServiceLevel.Normal);
        _control.Moves.Count.ShouldBe(1);

        _control.Pausing.SetResult();
        LookAt(ServiceLevel.Normal);

        _control.Moves[^1].ShouldBe("resume");
    }

    [Fact]
    public void Look_AtOneThatItsGroupStartedAgain_StopsItAgain()
    {
        LookAt(ServiceLevel.Survival);
        _under.Worker.Enter(WorkerState.Running, WorkerTransitionCause.Group, 2);
        LookAt(ServiceLevel.Survival);

        _control.Moves.Count.ShouldBe(2);
    }

    [Fact]
    public void Look_AtOneThatDoesNotRun_LeavesItAlone()
    {
        _under.Worker.Enter(WorkerState.BackingOff, WorkerTransitionCause.Failure, 1);
        LookAt(ServiceLevel.Survival);
        LookAt(ServiceLevel.Normal);

        _control.Moves.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("nothing was asked for")]
    [InlineData("only in shadow")]
    [InlineData("kill switch")]
    public void Look_WithoutAReason_StopsNobody(string why)
    {
        _under.Options.PauseAt = why == "nothing was asked for" ? null : ServiceLevel.Essential;
        _under.Level.Mode = why == "only in shadow" ? DegradationMode.Shadow : DegradationMode.Enforce;
        _under.Reload(enabled: why != "kill switch");
        LookAt(ServiceLevel.Survival);

        _control.Moves.ShouldBeEmpty();
    }

    [Fact]
    public void Look_WithTheKillSwitchOff_StartsThoseThatArePaused()
    {
        LookAt(ServiceLevel.Survival);
        _under.Reload(enabled: false);
        LookAt(ServiceLevel.Survival);

        _control.Moves[^1].ShouldBe("resume");
    }

    [Fact]
    public void Look_AfterAPauseThatFailed_TellsAndTriesAgain()
    {
        _control.Pausing = new TaskCompletionSource();
        LookAt(ServiceLevel.Survival);
        _control.Pausing.SetException(new InvalidOperationException("broken"));
        _control.Pausing = null;
        _under.Worker.Enter(WorkerState.Running, WorkerTransitionCause.Manual, 1);
        LookAt(ServiceLevel.Survival);
        LookAt(ServiceLevel.Survival);

        _control.Moves.Count.ShouldBe(2);
        _under.Logs.Entries.ShouldHaveSingleItem().EventId.Id.ShouldBe(1832);
    }

    private void LookAt(ServiceLevel level)
    {
        _under.Level.Current = level;
        _watcher.Look();
    }
}

/// <summary>Keeps what the watcher asks of the supervision, and does what it would.</summary>
internal sealed class ScriptedControl : IWorkerControl
{
    public List<(int Run, TimeSpan Silence, string? Activity)> Reports { get; } = [];

    public List<string> Moves { get; } = [];

    public TaskCompletionSource? Pausing { get; set; }

    public void ReportStuck(Worker worker, int run, TimeSpan silence, string? activity) => Reports.Add((run, silence, activity));

    public Task PauseAsync(Worker worker, string? detail = null)
    {
        Moves.Add($"pause: {detail}");
        worker.Enter(WorkerState.Paused, WorkerTransitionCause.ServiceLevel, 1);
        return Pausing?.Task ?? Task.CompletedTask;
    }

    public Task ResumeAsync(Worker worker)
    {
        Moves.Add("resume");
        worker.Enter(WorkerState.Running, WorkerTransitionCause.ServiceLevel, 1);
        return Task.CompletedTask;
    }
}
