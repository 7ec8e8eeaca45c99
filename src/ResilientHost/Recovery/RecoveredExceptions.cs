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
    private static readonly object RequestKey = new();
    private readonly ConditionalWeakTable<Exception, object> _seen = [];

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
        isFresh = _seen.TryAdd(exception, RequestKey);
        return true;
    }

    /// <summary><see langword="false"/> when the exception, or everything it aggregates, has been reported before.</summary>
    public bool TryMark(Exception exception)
    {
        if (exception is not AggregateException aggregate)
        {
            return _seen.TryAdd(exception, RequestKey);
        }

        var isNews = false;
        foreach (var inner in aggregate.Flatten().InnerExceptions)
        {
            isNews |= _seen.TryAdd(inner, RequestKey);
        }

        return isNews;
    }
}
