using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using ResilientHost.Connections;
using ResilientHost.Degradation;
using ResilientHost.Fallbacks;
using ResilientHost.History;
using ResilientHost.Hosting;
using ResilientHost.Propagation;
using ResilientHost.Refusals;

namespace ResilientHost.Pipeline;

/// <summary>The way into the layers around the endpoint: one middleware, one async frame, and no frame where the endpoint completes at once.</summary>
internal sealed class ResilienceMiddleware(
    RequestDelegate next,
    ResilienceSettingsSource settings,
    EndpointPlans plans,
    RequestShedder shedder,
    ConnectionDoor door,
    InboundCalls calls,
    CallerPartitions callers,
    LayerGates gates,
    RequestStatePool states,
    RefusalWriter refusals,
    RequestFallbacks fallbacks,
    EndpointInvoker invoker,
    RequestMetrics metrics,
    RequestCompletions completions,
    RequestWatches watches,
    PipelinePlacement placement)
{
    public Task Invoke(HttpContext context)
    {
        if (!settings.Current.Enabled)
        {
            return next(context);
        }

        if (context.Features.FindEndpoint()?.Endpoint is not { } endpoint)
        {
            return InvokeWithoutEndpoint(context);
        }

        return placement.Entrances > 1 ? InvokeOnceAsync(context, endpoint) : InvokeLayers(context, endpoint);
    }

    private Task InvokeLayers(HttpContext context, Endpoint endpoint)
    {
        var plan = plans.Of(endpoint);
        if (plan.KeepsConnection && door.ClosesConnections && !context.Response.HasStarted)
        {
            // The place that it would give up is taken by whoever floods, and there is no way back in.
            context.Response.Headers.Connection = default;
        }

        if (plan.IsExempt)
        {
            return next(context);
        }

        var request = context.Features.FindRequest();
        return calls.Of(context, plan, request?.Headers ?? context.Request.Headers) is { } call
            ? InvokeKnown(context, plan, request, call)
            : EnterLayers(context, plan, request, call: null);
    }

    private Task InvokeKnown(HttpContext context, EndpointPlan plan, IHttpRequestFeature? request, InboundCall call)
    {
        if (calls.IsOver(call))
        {
            // Whoever asked has gone: no layer is to be troubled with it.
            Admission admission = default;
            Arrive(plan, ref admission);
            return RefuseAsync(context, plan, admission, InboundCalls.Refuse(plan));
        }

        if (!call.IsRead)
        {
            return EnterLayers(context, plan, request, call);
        }

        InboundAnswer.Attach(context.Response, call);
        var flow = InboundFlow.Begin(call);
        try
        {
            return EnterLayers(context, plan, request, call);
        }
        finally
        {
            flow.End();
        }
    }

    private Task EnterLayers(HttpContext context, EndpointPlan plan, IHttpRequestFeature? request, InboundCall? call)
    {
        Admission admission = default;
        Arrive(plan, ref admission);
        Refusal refusal;
        if (shedder.IsActive && plan.Criticality is { } criticality && shedder.Sheds(context, criticality, plan.Tag, out refusal))
        {
            return RefuseAsync(context, plan, admission, refusal);
        }

        if (plan.TellsCallersApart && !callers.TryEnter(context, plan, ref admission, out refusal))
        {
            return RefuseAsync(context, plan, admission, refusal);
        }

        return LayerGates.TryEnter(plan, ref admission, out refusal) switch
        {
            LayerGates.Entry.Admitted => invoker.Invoke(next, context, plan, ref admission, request, call),
            LayerGates.Entry.Queues => QueueAsync(context, plan, admission, call),
            _ => RefuseAsync(context, plan, admission, refusal),
        };
    }

    private void Arrive(EndpointPlan plan, ref Admission admission)
    {
        admission.IsSampled = watches.Of(plan) is { IsOpen: true } watch && watch.TryTake();
        admission.IsTimed = metrics.IsEnabled || admission.IsSampled;
        admission.ArrivedAt = gates.Arrive(plan, admission.IsTimed);
    }

    private Task InvokeWithoutEndpoint(HttpContext context)
    {
        var task = next(context);
        if (context.GetEndpoint() is { } late)
        {
            return placement.Entrances > 1 ? CheckBehindAsync(context, late, task) : placement.RoutedTooLate(context, late, task);
        }

        return task;
    }

    private async Task CheckBehindAsync(HttpContext context, Endpoint late, Task task)
    {
        await task;
        if (context.Features.Get<LayersEntry>()?.Last != late)
        {
            await placement.RoutedTooLate(context, late, Task.CompletedTask);
        }
    }

    // Branches that rejoin the pipeline bring a request to several entrances.
    private async Task InvokeOnceAsync(HttpContext context, Endpoint endpoint)
    {
        var entry = context.Features.Get<LayersEntry>();
        if (entry is null)
        {
            context.Features.Set(entry = new LayersEntry());
        }

        if (entry.Inside == endpoint)
        {
            await next(context);
            return;
        }

        var outer = entry.Inside;
        entry.Last = entry.Inside = endpoint;
        try
        {
            await InvokeLayers(context, endpoint);
        }
        finally
        {
            entry.Inside = outer;
        }
    }

    private async Task QueueAsync(HttpContext context, EndpointPlan plan, Admission admission, InboundCall? call)
    {
        Refusal? refusal;
        try
        {
            (admission, refusal) = await gates.EnterQueuedAsync(plan, admission, context.RequestAborted);
        }
        catch (OperationCanceledException exception) when (context.RequestAborted.IsCancellationRequested)
        {
            await invoker.RecoverUncalled(context, plan, admission, exception);
            return;
        }

        if (refusal is null && call is not null && calls.IsOver(call))
        {
            gates.Exit(plan, ref admission, CallOutcome.Ignored);
            refusal = InboundCalls.Refuse(plan);
        }

        // The request is not looked up here: a look-up that fails must find the invoker there, which gives back what is held.
        await (refusal is { } refused ? RefuseAsync(context, plan, admission, refused) : invoker.Invoke(next, context, plan, ref admission, request: null, call));
    }

    private Task RefuseAsync(HttpContext context, EndpointPlan plan, in Admission admission, in Refusal refusal)
    {
        if (plan.Fallbacks is null && (context.Features.FindResponse()?.Headers ?? context.Response.Headers).Count == 0)
        {
            Record(context, plan, RequestDisposition.Refused, admission, refusal);
            return refusals.WriteAsync(context, refusal, ResponseBaseline.Empty);
        }

        var state = states.Rent(context, plan, default);
        state.Baseline.Capture(context.Response);
        if (plan.Fallbacks is not null && fallbacks.ForRefused(state, settings.Current.Fallbacks) is { } fallback)
        {
            return FallBackAsync(state, fallback, admission, refusal);
        }

        Record(context, plan, RequestDisposition.Refused, admission, refusal);
        var answer = refusals.WriteAsync(context, refusal, state.Baseline);
        if (answer.IsCompleted)
        {
            states.Return(state);
        }

        return answer;
    }

    private async Task FallBackAsync(RequestState state, RequestFallback fallback, Admission admission, Refusal refusal)
    {
        // Before the first await: it is known to the thread alone.
        var (context, tellsOuter) = (state.Context, CutResponse.IsBodyReplaced(state.Context, behindGuard: null));
        RefusalWriter.Note(refusal);
        var result = await fallback.TryAnswerAsync(new(refusal));
        Record(context, state.Plan, fallback.HasAnswered ? RequestDisposition.Fallback : RequestDisposition.Refused, admission, refusal);
        if (result == FallbackResult.None)
        {
            await refusals.WriteAsync(context, refusal, state.Baseline);
        }

        states.Return(state);
        CutResponse.TellOuter(context, tellsOuter);
    }

    private void Record(HttpContext context, EndpointPlan plan, string disposition, in Admission admission, in Refusal refusal)
    {
        completions.Note(context, disposition);
        if (watches.Of(plan) is { } watch)
        {
            watch.CountRefusal(refusal);
            if (admission.IsSampled)
            {
                watch.Return();
            }
        }

        if (metrics.IsEnabled && admission.IsTimed)
        {
            metrics.Record(plan.Tag, disposition, gates.Elapsed(admission));
        }
    }
}
