using System.Diagnostics;
using Microsoft.AspNetCore.Http;

namespace ResilientHost.Refusals;

/// <summary>Answers a refused call and notes the refusal on the request's span. Thread-safe.</summary>
internal sealed class RefusalWriter(ProblemWriter problems)
{
    /// <summary>Writes the refusal's problem; aborts the connection when an answer has already begun.</summary>
    public Task WriteAsync(HttpContext context, in Refusal refusal, ResponseBaseline baseline)
    {
        var problem = RefusalTable.Resolve(refusal);
        Note(refusal);
        return problems.WriteAsync(context, problem, baseline);
    }

    /// <summary>Notes the refusal on the request's span; <see cref="WriteAsync"/> does, too.</summary>
    public static void Note(in Refusal refusal)
    {
        // The host makes an activity for logs alone, too; tags on one that nobody exports would be the most expensive part of a refusal.
        var activity = Activity.Current;
        if (activity is { IsAllDataRequested: true } && (activity.Recorded || activity.Source.HasListeners()))
        {
            Tag(activity, refusal, RefusalTable.CodeOf(refusal.Reason));
        }
    }

    private static void Tag(Activity activity, in Refusal refusal, string code)
    {
        if (Equals(activity.GetTagItem(ResilienceDiagnostics.Tags.RefusalReason), code))
        {
            return;
        }

        activity.SetTag(ResilienceDiagnostics.Tags.RefusalReason, code);
        var (name, sourceTag) = refusal.Reason switch
        {
            RefusalReason.CircuitOpen => (ResilienceDiagnostics.SpanEvents.CircuitBreakerRefused, ResilienceDiagnostics.Tags.CircuitBreakerName),
            RefusalReason.BulkheadFull or RefusalReason.QueueTimeout => (ResilienceDiagnostics.SpanEvents.BulkheadRefused, ResilienceDiagnostics.Tags.BulkheadName),
            RefusalReason.Shed => (ResilienceDiagnostics.SpanEvents.DegradationShed, null),
            _ => (null, null),
        };
        if (name is not null)
        {
            var tags = new ActivityTagsCollection { [ResilienceDiagnostics.Tags.RefusalReason] = code };
            if (sourceTag is not null)
            {
                tags[sourceTag] = refusal.Source;
            }

            activity.AddEvent(new ActivityEvent(name, tags: tags));
        }
    }
}
