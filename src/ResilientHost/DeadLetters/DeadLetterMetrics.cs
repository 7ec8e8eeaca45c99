using System.Diagnostics.Metrics;
using ResilientHost.Telemetry;
using ResilientHost.Workers;

namespace ResilientHost.DeadLetters;

/// <summary>Instruments of the slice. Names are capped. No member throws: listeners' callbacks run in here.</summary>
/// <remarks>Whoever makes a letter counts it, so that those in an application's own sink count, too.</remarks>
internal sealed class DeadLetterMetrics
{
    private readonly NameCap _workers = new();
    private readonly NameCap _sources = new();
    private readonly Counter<long> _written;
    private readonly Counter<long> _failures;

    public DeadLetterMetrics(ResilienceMeter meter)
    {
        _written = meter.Meter.CreateCounter<long>(ResilienceDiagnostics.Instruments.DeadLetters, "{item}", "Items that became dead letters.");
        _failures = meter.Meter.CreateCounter<long>(
            ResilienceDiagnostics.Instruments.DeadLetterFailures, "{item}", "Dead letters that could not be kept at the first try.");
    }

    /// <summary>A letter is kept.</summary>
    public void Written(string worker, string source, DeadLetterReason reason) => Count(_written, worker, source, reason);

    /// <summary>A letter could not be kept. Once for each letter, however often it is offered again.</summary>
    public void Failed(string worker, string source, DeadLetterReason reason) => Count(_failures, worker, source, reason);

    private void Count(Counter<long> counter, string worker, string source, DeadLetterReason reason)
    {
        try
        {
            counter.Add(
                1,
                new(ResilienceDiagnostics.Tags.WorkerName, _workers.Of(worker)),
                new(ResilienceDiagnostics.Tags.WorkItems, _sources.Of(source)),
                new(ResilienceDiagnostics.Tags.DeadLetterReason, DeadLetterNames.Of(reason)));
        }
        catch (Exception)
        {
            // A meter listener that throws would otherwise make a letter look lost that is kept.
        }
    }
}
