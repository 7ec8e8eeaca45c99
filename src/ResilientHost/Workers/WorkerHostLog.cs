using Microsoft.Extensions.Logging;
using ResilientHost.Recovery;
using ResilientHost.Telemetry;

namespace ResilientHost.Workers;

/// <summary>Tells what goes wrong around a worker's runs. Thread-safe; no member throws.</summary>
internal sealed partial class WorkerHostLog(ILogger<WorkerHostLog> logger)
{
    private const int MaxNamesLength = 1024;

    public void DisposalFailed(WorkerRun run, Exception exception) => Contain(() => LogDisposalFailed(logger, SafeException.ForLogger(exception), run.Worker.Name, run.Number));

    public void DisposalHangs(WorkerRun run, TimeSpan waited) => Contain(() => LogDisposalHangs(logger, run.Worker.Name, run.Number, waited.TotalSeconds));

    public void StopFailed(WorkerRun run, Exception exception) => Contain(() => LogStopFailed(logger, SafeException.ForLogger(exception), run.Worker.Name, run.Number));

    public void NotStarted(string worker) => Contain(() => LogNotStarted(logger, worker));

    public void NamesOfNoWorker(IEnumerable<string> names, IEnumerable<string> workers) => Contain(() => LogNamesOfNoWorker(
        logger, LogText.Clean(string.Join(", ", names), MaxNamesLength), LogText.Clean(string.Join(", ", workers.DefaultIfEmpty("none")), MaxNamesLength)));

    private static void Contain(Action write)
    {
        try
        {
            write();
        }
        catch (Exception)
        {
            // A logger that throws costs its line, nothing else.
        }
    }

    [LoggerMessage(EventIds.Workers + 50, LogLevel.Warning, "Run {Run} of worker {Worker} has ended; disposing what it had failed.")]
    private static partial void LogDisposalFailed(ILogger logger, Exception exception, string worker, int run);

    [LoggerMessage(EventIds.Workers + 51, LogLevel.Warning, "Run {Run} of worker {Worker} has ended; disposing what it had takes longer than {Timeout} s and is not waited for.")]
    private static partial void LogDisposalHangs(ILogger logger, string worker, int run, double timeout);

    [LoggerMessage(EventIds.Workers + 52, LogLevel.Warning, "StopAsync of worker {Worker} failed in run {Run}.")]
    private static partial void LogStopFailed(ILogger logger, Exception exception, string worker, int run);

    [LoggerMessage(EventIds.Workers + 53, LogLevel.Warning, "Background service {Worker} is not supervised: its StartAsync does not call base.StartAsync, or it is registered as transient and the host runs another instance. A failure of it has the outcome that HostOptions ask for. Register it with AddHostedService, or with AddResilientWorker.")]
    private static partial void LogNotStarted(ILogger logger, string worker);

    [LoggerMessage(EventIds.Workers + 54, LogLevel.Warning, "Resilience:Workers names workers that there are not: {Names}. What it says of them is in force for nobody. There are: {Workers}.")]
    private static partial void LogNamesOfNoWorker(ILogger logger, string names, string workers);
}
