using System.Runtime.ExceptionServices;
using Microsoft.AspNetCore.Http;
using ResilientHost.Hosting;
using ResilientHost.Recovery;
using ResilientHost.Refusals;

namespace ResilientHost.Pipeline;

/// <summary>The layers around the endpoint: one middleware, one async frame, and no frame where the endpoint completes at once.</summary>
internal sealed class ResilienceMiddleware(
    RequestDelegate next,
    ResilienceSettingsSource settings,
    EndpointPlans plans,
    LayerGates gates,
    RequestStatePool states,
    RefusalWriter refusals,
    ExceptionRecovery recovery,
    RequestMetrics metrics,
    PipelinePlacement placement)
{
    public Task Invoke(HttpContext context)
    {
        if (!settings.Current.Enabled)
        {
            return next(context);
        }

        if (context.GetEndpoint() is not { } endpoint)
        {
            return InvokeWithoutEndpoint(context);
        }

        return placement.Entrances > 1 ? InvokeOnceAsync(context, endpoint) : InvokeLayers(context, endpoint);
    }

    private Task InvokeLayers(HttpContext context, Endpoint endpoint)
    {
        var plan = plans.Of(endpoint);
        if (plan.IsExempt)
        {
            return next(context);
        }

        return gates.TryEnter(plan, metrics.IsEnabled, out var admission, out var refusal) switch
        {
            LayerGates.Entry.Admitted => InvokeEndpoint(context, plan, admission),
            LayerGates.Entry.Queues => QueueAsync(context, plan, admission),
            _ => RefuseAsync(context, plan, admission, refusal),
        };
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

    private Task InvokeEndpoint(HttpContext context, EndpointPlan plan, Admission admission)
    {
        // Once there is a state it owns the admission; until then this frame does.
        RequestState? state = null;
        Task endpoint;
        try
        {
            if (context.Response.Headers.Count > 0)
            {
                state = states.Rent(context, plan, admission);
                state.Baseline.Capture(context.Response);
            }

            if (StreamingResponse.MayStream(context, plan))
            {
                state ??= states.Rent(context, plan, admission);
                LetGoWhenStreaming(state);
            }

            endpoint = next(context) ?? throw new InvalidOperationException($"The handler of {plan.Key} returned null instead of a task.");
        }
        catch (Exception exception)
        {
            state ??= states.Rent(context, plan, admission);
            Prepare(state);
            return RecoverAsync(state, exception);
        }

        if (!endpoint.IsCompletedSuccessfully)
        {
            state ??= states.Rent(context, plan, admission);
            state.Endpoint = endpoint;
            LetGoOfStream(state);
            Prepare(state);
            return state.Recovers && !state.TellsOuter ? HandledTask.Mark(AwaitEndpoint(state)) : AwaitEndpoint(state);
        }

        if (state is null)
        {
            Leave(context, plan, ref admission, OutcomeOf(context));
        }
        else
        {
            Complete(state);
        }

        return endpoint;
    }

    // On the thread and under the settings that called the endpoint: after an await neither may be the same.
    private void Prepare(RequestState state)
    {
        state.Recovers = settings.Current.Recovery.Enabled;
        state.TellsOuter = CutResponse.IsBodyReplaced(state.Context);
    }

    private async Task AwaitEndpoint(RequestState state)
    {
        // A failed endpoint's exception is looked at, not thrown again: each rethrow costs microseconds in an exception storm.
        await state.Endpoint.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (state.Endpoint.IsCompletedSuccessfully)
        {
            Complete(state);
        }
        else
        {
            await RecoverAsync(state, ExceptionOf(state.Endpoint)).ConfigureAwait(ConfigureAwaitOptions.None);
        }
    }

    private void Complete(RequestState state)
    {
        Leave(state.Context, state.Plan, ref state.Admission, OutcomeOf(state.Context));
        states.Return(state);
    }

    private async Task RecoverAsync(RequestState state, Exception exception)
    {
        var outcome = CallOutcome.Failed;
        var (context, tellsOuter) = (state.Context, state.TellsOuter);
        try
        {
            if (!state.Recovers)
            {
                outcome = exception is OperationCanceledException && state.Context.RequestAborted.IsCancellationRequested ? CallOutcome.Ignored : outcome;
                ExceptionDispatchInfo.Throw(exception);
            }

            outcome = await recovery.RecoverAsync(state.Context, exception, new RecoveryScope
            {
                Endpoint = state.Plan.Key,
                Origin = ExceptionOrigins.Endpoint,
                Baseline = state.Baseline,
                LayerStates = static plan => ((EndpointPlan)plan!).DescribeLayers(),
                LayerStatesArgument = state.Plan,
            });
        }
        finally
        {
            // The outcome is decided last: a handler may have turned the exception into a fine answer.
            Leave(state.Context, state.Plan, ref state.Admission, outcome, recovered: true);
            states.Return(state);
        }

        if (tellsOuter && CutResponse.IsMarked(context))
        {
            throw CutResponse.Tell(context);
        }
    }

    private async Task QueueAsync(HttpContext context, EndpointPlan plan, Admission admission)
    {
        Refusal? refusal;
        try
        {
            (admission, refusal) = await gates.EnterQueuedAsync(plan, admission, context.RequestAborted);
        }
        catch (OperationCanceledException exception) when (context.RequestAborted.IsCancellationRequested)
        {
            var state = states.Rent(context, plan, admission);
            Prepare(state);
            await RecoverAsync(state, exception);
            return;
        }

        await (refusal is { } refused ? RefuseAsync(context, plan, admission, refused) : InvokeEndpoint(context, plan, admission));
    }

    private Task RefuseAsync(HttpContext context, EndpointPlan plan, in Admission admission, in Refusal refusal)
    {
        if (metrics.IsEnabled)
        {
            metrics.Record(plan.Tag, RequestDisposition.Refused, gates.Elapsed(admission));
        }

        var state = states.Rent(context, plan, default);
        state.Baseline.Capture(context.Response);
        var answer = refusals.WriteAsync(context, refusal, state.Baseline);
        if (answer.IsCompleted)
        {
            states.Return(state);
        }

        return answer;
    }

    private void Leave(HttpContext context, EndpointPlan plan, ref Admission admission, CallOutcome outcome, bool recovered = false)
    {
        gates.Exit(plan, ref admission, outcome);
        if (metrics.IsEnabled)
        {
            metrics.Record(plan.Tag, RequestDisposition.Of(context, outcome, recovered), gates.Elapsed(admission));
        }
    }

    // Nothing announced this stream, but it has begun: raw handlers write their first event before they wait for the next one.
    private void LetGoOfStream(RequestState state)
    {
        if (!state.IsShared && state.Context.Response.HasStarted && StreamingResponse.HasStarted(state.Context, state.Plan))
        {
            gates.Exit(state.Plan, ref state.Admission, OutcomeOf(state.Context));
        }
    }

    private void LetGoWhenStreaming(RequestState state)
    {
        state.IsShared = true;
        state.Context.Response.OnStarting(
            static argument =>
            {
                var (gates, state) = ((LayerGates, RequestState))argument;
                if (StreamingResponse.HasStarted(state.Context, state.Plan))
                {
                    gates.Exit(state.Plan, ref state.Admission, OutcomeOf(state.Context));
                }

                return Task.CompletedTask;
            },
            (gates, state));
    }

    // RequestAborted is made on first use; asking for it on the way of every request would cost each of them an allocation.
    private static CallOutcome OutcomeOf(HttpContext context) =>
        context.Response.StatusCode < StatusCodes.Status500InternalServerError ? CallOutcome.Succeeded
        : context.RequestAborted.IsCancellationRequested ? CallOutcome.Ignored
        : CallOutcome.Failed;

    private static Exception ExceptionOf(Task task) =>
        task.Exception is { } error ? error.InnerExceptions[0] : new TaskCanceledException(task);
}
