using System.Diagnostics;
using System.Globalization;
using ResilientHost.Recovery;
using ResilientHost.Refusals;
using ResilientHost.Telemetry;

namespace ResilientHost.Outbound;

/// <summary>The span of one attempt, child of the caller's and parent of the transport's, and the events on the caller's. No member throws: listeners' callbacks run in here.</summary>
internal static class OutboundSpan
{
    /// <summary>Starts the span, if anybody listens, and makes it the current one of this asynchronous flow.</summary>
    /// <param name="client">Name that the client's layers go by.</param>
    /// <param name="request">What is sent.</param>
    /// <param name="number">From 1.</param>
    /// <param name="isHedge">Whether another attempt runs beside it.</param>
    public static Activity? Start(string client, HttpRequestMessage request, int number, bool isHedge)
    {
        if (!ResilienceMeter.ActivitySource.HasListeners())
        {
            return null;
        }

        var outer = Activity.Current;
        try
        {
            var activity = ResilienceMeter.ActivitySource.StartActivity(ResilienceDiagnostics.Spans.OutboundAttempt);
            if (activity is { IsAllDataRequested: true })
            {
                Describe(activity, client, request, number, isHedge);
            }

            return activity;
        }
        catch (Exception)
        {
            // A listener's failure must not cost the attempt.
            Activity.Current = outer;
            return null;
        }
    }

    /// <summary>Ends the span.</summary>
    public static void End(Activity? activity, in AttemptResult result, string outcome, string? failure)
    {
        if (activity is null)
        {
            return;
        }

        try
        {
            if (activity.IsAllDataRequested)
            {
                Describe(activity, result, outcome, failure);
            }

            activity.Dispose();
        }
        catch (Exception)
        {
            // A listener's failure must not cost the attempt.
        }
    }

    /// <summary>Notes on the caller's span that there is a further attempt.</summary>
    /// <param name="name">One of <see cref="ResilienceDiagnostics.SpanEvents"/>.</param>
    /// <param name="client">Name that the client's layers go by.</param>
    /// <param name="number">Of the attempt to come.</param>
    /// <param name="failure">What it is made for; <see langword="null"/>: the one before is slow.</param>
    public static void Note(string name, string client, int number, string? failure)
    {
        if (Activity.Current is not { IsAllDataRequested: true } activity)
        {
            return;
        }

        ActivityTagsCollection tags = new()
        {
            [ResilienceDiagnostics.Tags.OutboundClient] = client,
            [ResilienceDiagnostics.Tags.ResendCount] = number - 1,
        };
        if (failure is not null)
        {
            tags[ResilienceDiagnostics.Tags.OutboundFailure] = failure;
        }

        activity.AddEvent(new ActivityEvent(name, tags: tags));
    }

    private static void Describe(Activity activity, string client, HttpRequestMessage request, int number, bool isHedge)
    {
        activity.SetTag(ResilienceDiagnostics.Tags.OutboundClient, client);
        activity.SetTag(ResilienceDiagnostics.Tags.RequestMethod, MethodOf(request.Method));
        if (request.RequestUri is { IsAbsoluteUri: true } uri)
        {
            activity.SetTag(ResilienceDiagnostics.Tags.ServerAddress, uri.IdnHost);
            if (uri.Port >= 0)
            {
                activity.SetTag(ResilienceDiagnostics.Tags.ServerPort, uri.Port);
            }
        }

        if (number > 1)
        {
            activity.SetTag(ResilienceDiagnostics.Tags.ResendCount, number - 1);
        }

        if (isHedge)
        {
            activity.SetTag(ResilienceDiagnostics.Tags.OutboundHedge, true);
        }
    }

    private static void Describe(Activity activity, in AttemptResult result, string outcome, string? failure)
    {
        activity.SetTag(ResilienceDiagnostics.Tags.OutboundOutcome, outcome);
        if (result.Response is { } response)
        {
            activity.SetTag(ResilienceDiagnostics.Tags.ResponseStatus, (int)response.StatusCode);
        }

        if (failure is null)
        {
            return;
        }

        activity.SetTag(ResilienceDiagnostics.Tags.OutboundFailure, failure);
        activity.SetTag(ResilienceDiagnostics.Tags.ErrorType, ErrorTypeOf(result, failure));
        activity.SetStatus(ActivityStatusCode.Error);
    }

    private static string ErrorTypeOf(in AttemptResult result, string failure) => result switch
    {
        { Response: { } response } => ((int)response.StatusCode).ToString(CultureInfo.InvariantCulture),
        { Exception: OutboundRefusedException refused } => RefusalTable.CodeOf(refused.Refusal.Reason),
        { Exception: { } exception } => TypeNames.Of(exception),
        _ => failure,
    };

    // OpenTelemetry's rule: a method that nobody knows is one value, or callers could make as many as they like.
    private static string MethodOf(HttpMethod method) => method.Method switch
    {
        "GET" or "POST" or "PUT" or "DELETE" or "HEAD" or "OPTIONS" or "PATCH" or "TRACE" or "CONNECT" => method.Method,
        _ => "_OTHER",
    };
}
