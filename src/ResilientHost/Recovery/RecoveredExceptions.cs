using System.Numerics;
using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http;

namespace ResilientHost.Recovery;

/// <summary>Remembers which exceptions have been reported, so that each is reported once although several hops may see it. Thread-safe.</summary>
/// <remarks>
/// Within a request by the request, because one exception object may fail many requests (a cached faulted task); for the process-level
/// observers, which know no request, by the object. One instance per host: two hosts of a process do not silence each other.
/// </remarks>
internal sealed class RecoveredExceptions
{
    private const int TablesPerProcessor = 4;
    private const int MostTables = 64;
    private static readonly object RequestKey = new();

    // A table has one lock, and holds it for long when it sweeps out what has been collected: each of several is swept for a part of the time, and makes a part of the requests wait.
    private readonly ConditionalWeakTable<Exception, object>[] _seen = new ConditionalWeakTable<Exception, object>[TableCount];

    public RecoveredExceptions()
    {
        for (var table = 0; table < _seen.Length; table++)
        {
            _seen[table] = [];
        }
    }

    private static int TableCount => Math.Min((int)BitOperations.RoundUpToPowerOf2((uint)(Environment.ProcessorCount * TablesPerProcessor)), MostTables);

    /// <summary><see langword="false"/> when the same request has reported the exception already.</summary>
    /// <param name="context">The request.</param>
    /// <param name="exception">What it failed with.</param>
    /// <param name="isFresh">Whether nothing has failed with the same object before.</param>
    public bool TryMark(HttpContext context, Exception exception, out bool isFresh)
    {
        isFresh = false;
        if (context.Items.TryGetValue(RequestKey, out var known) && ReferenceEquals(known, exception))
        {
            return false;
        }

        context.Items[RequestKey] = exception;
        isFresh = TryAdd(exception);
        return true;
    }

    /// <summary><see langword="false"/> when the exception, or everything it aggregates, has been reported before.</summary>
    public bool TryMark(Exception exception)
    {
        if (exception is not AggregateException aggregate)
        {
            return TryAdd(exception);
        }

        var isNews = false;
        foreach (var inner in aggregate.Flatten().InnerExceptions)
        {
            isNews |= TryAdd(inner);
        }

        return isNews;
    }

    private bool TryAdd(Exception exception)
    {
        // By other bits than those by which a table finds it (D. E. Knuth's multiplicative hashing): else all of a table's would meet in few of its places.
        var mixed = (uint)RuntimeHelpers.GetHashCode(exception) * 0x9E3779B9u;
        return _seen[(mixed >> 24) & (_seen.Length - 1)].TryAdd(exception, RequestKey);
    }
}
