using FailureDrill.Processes;

namespace FailureDrill.Drills;

/// <summary>
/// One failure and what must hold while it lasts: for the neighbours of the broken endpoint, for its callers, for the
/// service behind it and for the process. The same expectations are checked with the layers and without.
/// </summary>
internal abstract class Drill
{
    /// <summary>As <c>--only</c> and the results spell it.</summary>
    public abstract string Name { get; }

    /// <summary>What breaks.</summary>
    public abstract string Failure { get; }

    /// <summary>What must hold, in words.</summary>
    public abstract IReadOnlyList<string> MustHold { get; }

    /// <summary>Why the same service may stand this without the layers; shown when it does.</summary>
    public virtual string WhyItMayHoldWithout => "the host alone copes with this one.";

    /// <summary>Why it cannot be run on this machine; <see langword="null"/>: it can.</summary>
    public virtual string? WhyNot => null;

    /// <summary>Starts a service of its own, breaks it, watches, and writes down what was found.</summary>
    public abstract Task RunAsync(bool layers, Findings findings, CancellationToken cancellationToken);
}

/// <summary>A drill of one kind of service.</summary>
internal abstract class Drill<TService> : Drill
    where TService : IService
{
    public sealed override async Task RunAsync(bool layers, Findings findings, CancellationToken cancellationToken)
    {
        await using var service = await StartAsync(layers, cancellationToken);
        try
        {
            await RunAsync(service, findings, cancellationToken);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            // A service that does not answer its own switches any more is a finding, not an error of the drill.
            findings.Expect(Whom.Process, "can be watched to the end", holds: false, exception.Message);
        }

        JudgeEnd(service, findings);
    }

    /// <summary>Judges whether the process is where it should be by now: alive, unless the drill is about how it ends.</summary>
    protected virtual void JudgeEnd(TService service, Findings findings) =>
        findings.Expect(Whom.Process, "stays alive", service.IsAlive, $"it ended with exit code {service.ExitCode}");

    protected abstract Task<TService> StartAsync(bool layers, CancellationToken cancellationToken);

    /// <summary>Breaks the service, watches, and writes down what was found.</summary>
    protected abstract Task RunAsync(TService service, Findings findings, CancellationToken cancellationToken);
}
