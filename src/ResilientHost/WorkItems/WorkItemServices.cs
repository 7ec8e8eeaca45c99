using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Microsoft.Extensions.Hosting;
using ResilientHost.DeadLetters;

namespace ResilientHost.WorkItems;

/// <summary>What the processings of a host share: above all, one ledger for each source, which outlives the runs. A singleton; thread-safe.</summary>
internal sealed class WorkItemServices(WorkItemMetrics metrics, DeadLetterMetrics letters, WorkItemLog log, IHostApplicationLifetime? lifetime)
{
    private readonly Lock _gate = new();

    // Weak: a channel that its owner has dropped, empty, is gone. With items in it, it is held until they are processed or in the dead letters.
    private readonly ConditionalWeakTable<object, WorkItemLedger> _ledgers = [];
    private readonly HashSet<WorkItemLedger> _withRest = [];

    public WorkItemMetrics Metrics => metrics;

    public DeadLetterMetrics Letters => letters;

    public WorkItemLog Log => log;

    /// <summary>Whether a stop is the last: no run of any worker follows.</summary>
    public bool IsHostStopping() => lifetime is { } host && host.ApplicationStopping.IsCancellationRequested;

    /// <summary>The ledger of a channel: its own source if it is one, else what wraps it.</summary>
    public WorkItemLedger<T> LedgerOf<T>(object? channel, ChannelReader<T> reader)
    {
        // Its reader alone leads to the channel, too: read in the plain way, an item would be finished the moment it is read.
        var source = channel as IWorkItemSource<T> ?? reader as IWorkItemSource<T> ?? (reader as JournaledChannelReader<T>)?.Channel;
        if (source is JournaledChannel<T> journaled && journaled.HasNews())
        {
            // It was opened where there was no log.
            log.Unreadable(journaled.Directory, journaled.BuriedCount, journaled.UnreadableCount);
        }

        lock (_gate)
        {
            var ledger = (WorkItemLedger<T>)_ledgers.GetValue(source is null ? reader : source, _ => NewLedger(source, reader));
            _withRest.Remove(ledger);
            return ledger;
        }
    }

    /// <summary>A processing has ended.</summary>
    public void Left(WorkItemLedger ledger, bool wasLast)
    {
        lock (_gate)
        {
            if (wasLast && ledger.HasRest)
            {
                _withRest.Add(ledger);
            }
        }
    }

    /// <summary>Makes dead letters of what is left anywhere, when nothing processes items any more.</summary>
    public async Task BuryRestAsync(CancellationToken cancellationToken)
    {
        // Side by side: a sink that hangs takes the time of nobody else's items.
        await Task.WhenAll(Ledgers().Select(async ledger =>
        {
            await ledger.LetGoAsync(cancellationToken);
            if (ledger.HasRest)
            {
                await ledger.BuryRestAsync(cancellationToken);
            }

            if (ledger.HasRest)
            {
                ledger.ReportLost();
            }
        }));
    }

    private static WorkItemLedger<T> NewLedger<T>(IWorkItemSource<T>? source, ChannelReader<T> reader)
    {
        if (source is not null)
        {
            return new(source, static () => false);
        }

        var memory = new ChannelSource<T>(reader);
        return new(memory, () => memory.HasItems);
    }

    private List<WorkItemLedger> Ledgers()
    {
        lock (_gate)
        {
            return [.. _ledgers.Select(pair => pair.Value)];
        }
    }
}
