using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using ResilientHost.Telemetry;

namespace ResilientHost.DeadLetters;

/// <summary>Instruments of the slice. No member throws: listeners' callbacks run in here.</summary>
internal sealed class DeadLetterMetrics
{
    // A letter that fails is offered again and again; as many as this are remembered, so that each counts once.
    private const int MostRemembered = 1024;

    private const int MostNames = 200;
    private const string Other = "other";

    private readonly Counter<long> _written;
    private readonly Counter<long> _failures;
    private readonly ConcurrentDictionary<string, bool> _failed = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, bool> _names = new(StringComparer.Ordinal);

    public DeadLetterMetrics(ResilienceMeter meter)
    {
        _written = meter.Meter.CreateCounter<long>(ResilienceDiagnostics.Instruments.DeadLetters, "{item}", "Items that became dead letters.");
        _failures = meter.Meter.CreateCounter<long>(
            ResilienceDiagnostics.Instruments.DeadLetterFailures, "{item}", "Dead letters that could not be kept at the first try.");
    }

    public void Written(DeadLetter letter)
    {
        if (!_failed.IsEmpty)
        {
            _failed.TryRemove(letter.Id, out _);
        }

        Count(_written, letter);
    }

    public void Failed(DeadLetter letter)
    {
        if (_failed.ContainsKey(letter.Id))
        {
            return;
        }

        if (_failed.Count < MostRemembered)
        {
            _failed.TryAdd(letter.Id, true);
        }

        Count(_failures, letter);
    }

    private void Count(Counter<long> counter, DeadLetter letter)
    {
        try
        {
            counter.Add(
                1,
                new(ResilienceDiagnostics.Tags.WorkerName, Capped(letter.Worker)),
                new(ResilienceDiagnostics.Tags.WorkItems, Capped(letter.Source)),
                new(ResilienceDiagnostics.Tags.DeadLetterReason, DeadLetterNames.Of(letter.Reason)));
        }
        catch (Exception)
        {
            // A meter listener that throws would otherwise make a letter look lost that is kept.
        }
    }

    private string Capped(string name) => _names.ContainsKey(name) || (_names.Count < MostNames && _names.TryAdd(name, true)) ? name : Other;
}
