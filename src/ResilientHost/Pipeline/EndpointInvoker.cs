using System.Runtime.ExceptionServices;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using ResilientHost.Fallbacks;
using ResilientHost.History;
using ResilientHost.Hosting;
using ResilientHost.Propagation;
using ResilientHost.Recovery;
using ResilientHost.Refusals;

namespace ResilientHost.Pipeline;

/// <summary>Calls an endpoint that a request has been admitted to, ends what it holds, and sees to its answer when the endpoint has none. Thread-safe.</summary>
internal sealed class EndpointInvoker(
    ResilienceSettingsSource settings,
    LayerGates gates,
    RequestStatePool states,
    RequestFallbacks fallbacks,
    RefusalWriter refusals,
    ProblemWriter problems,
    ExceptionRecovery recovery,
    RequestMetrics metrics,
    RequestCompletions completions,
    RequestWatches watches)
{
    /// <param name="next">The way to the endpoint.</param>
    /// <param name="context">The request.</param>
    /// <param name="plan">The layers.</param>
    /// <param name="admission">What the request holds of them; afterwards nothing that the caller may use.</param>
    /// <param name="request">The request as the server gave it, where the caller has looked it up already.</param>
    /// <param name="call">What its caller says of it.</param>
    public Task Invoke(RequestDelegate next, HttpContext context, EndpointPlan plan, ref Admission admission, IHttpRequestFeature? request, InboundCall? call)
    {
        // Once there is a state it owns the admission; until then this frame does.
        RequestState? state = null;
        Task endpoint;
        try
        {
            var current = settings.Current;
            var timeout = plan.TimeoutUnder(current.Timeouts);
            if (ResponseHeadersOf(context, hasTimeout: timeout is not null).Count > 0)
            {
                state = states.Rent(context, plan, admission);
                state.Baseline.Capture(context.Response);
            }

            if (MayStream(context, plan, request))
            {
                state ??= states.Rent(context, plan, admission);
                LetGoWhenStreaming(state);
            }

            if (timeout is not null || plan.Fallbacks is not null || call is { HasCallersDeadline: true })
            {
                state ??= states.Rent(context, plan, admission);
                if (plan.Fallbacks is not null)
                {
                    fallbacks.Begin(state, current.Fallbacks);
                }

                state.BeginTimeout(timeout, current.Timeouts.Grace, call);
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
            state.Timeout?.Leave();
            LetGoOfStream(state);
            Prepare(state);
            return state.Recovers && !state.TellsOuter ? HandledTask.Mark(AwaitEndpoint(state)) : AwaitEndpoint(state);
        }

        if (state is null)
        {
            var outcome = OutcomeOf(context, context.Response.StatusCode);
            gates.Exit(plan, ref admission, outcome);
            Record(context, plan, admission, outcome, RequestDisposition.Of(outcome));
            return endpoint;
        }

        if (IsAnswered(state, out var status))
        {
            Complete(state, status);
            return endpoint;
        }

        Prepare(state);
        return ReplaceAsync(state);
    }

    /// <summary>Ends a request that was refused, or whose caller left, before its endpoint was called.</summary>
    public Task RecoverUncalled(HttpContext context, EndpointPlan plan, in Admission admission, Exception exception)
    {
        var state = states.Rent(context, plan, admission);
        Prepare(state);
        return RecoverAsync(state, exception);
    }

    // What the context looks up it keeps for the endpoint, unless a timeout is about to take the server's place: then all is looked up again.
    private static IHeaderDictionary ResponseHeadersOf(HttpContext context, bool hasTimeout) =>
        (hasTimeout ? context.Features.FindResponse()?.Headers : null) ?? context.Response.Headers;

    private static bool MayStream(HttpContext context, EndpointPlan plan, IHttpRequestFeature? request) =>
        request is not null
            ? StreamingResponse.MayStream(context, plan, request.Headers, request.Method)
            : StreamingResponse.MayStream(context, plan, context.Request.Headers, context.Request.Method);

    // On the thread and under the settings that called the endpoint: after an await neither may be the same.
    private void Prepare(RequestState state)
    {
        state.Recovers = settings.Current.Recovery.Enabled;
        state.TellsOuter = CutResponse.IsBodyReplaced(state.Context, state.Body?.Original);
    }

    private async Task AwaitEndpoint(RequestState state)
    {
        // A failed endpoint's exception is looked at, not thrown again: each rethrow costs microseconds in an exception storm.
        await state.Endpoint.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!state.Endpoint.IsCompletedSuccessfully)
        {
            await RecoverAsync(state, EndedTask.ExceptionOf(state.Endpoint)).ConfigureAwait(ConfigureAwaitOptions.None);
        }
        else if (IsAnswered(state, out var status))
        {
            Complete(state, status);
        }
        else
        {
            await ReplaceAsync(state).ConfigureAwait(ConfigureAwaitOptions.None);
        }
    }

    /// <summary>Whether what the endpoint has answered stands. Takes the guards off the request.</summary>
    private static bool IsAnswered(RequestState state, out int status)
    {
        var response = state.Context.Response;
        status = response.StatusCode;
        if (state.Body is null && response.HasStarted)
        {
            // Asked first: once the guards are off, everything that the context knows of the server has to be looked up again.
            state.EndGuards(hasFailed: status >= StatusCodes.Status500InternalServerError);
            return !state.HasOverrun;
        }

        state.EndGuards(hasFailed: status >= StatusCodes.Status500InternalServerError);
        status = response.StatusCode;
        return response.HasStarted ? !state.HasOverrun : !state.HasTimedOut && !RequestFallbacks.MayReplace(state);
    }

    private void Complete(RequestState state, int status)
    {
        var outcome = state.HasTimedOut ? state.TimeoutOutcome : OutcomeOf(state.Context, status);
        if (state.Recording is { } recording)
        {
            if (outcome == CallOutcome.Succeeded && !state.Context.Response.HasStarted)
            {
                recording.CompleteAtEnd();
            }
            else
            {
                recording.Complete(outcome == CallOutcome.Succeeded);
            }
        }

        state.RequestBody?.Detach();
        Leave(state, outcome, state.HasTimedOut ? RequestDisposition.TimedOut : RequestDisposition.Of(outcome));
        states.Return(state);
    }

    /// <summary>The endpoint has returned without an answer that stands: its time had run out, or it failed and there is a fallback.</summary>
    private async Task ReplaceAsync(RequestState state)
    {
        var (context, tellsOuter) = (state.Context, state.TellsOuter);
        var outcome = state.HasTimedOut ? state.TimeoutOutcome : OutcomeOf(context, state.Body is { HasReplaced: true } body ? body.ReplacedStatusCode : context.Response.StatusCode);
        var fallback = fallbacks.For(state);
        try
        {
            if (state.HasOverrun)
            {
                CutResponse.Mark(context);
            }
            else if (state.HasTimedOut)
            {
                await AnswerTimeoutAsync(state, fallback);
            }
            else if (FailedAnswer.Take(context.Response, state.Body) is { } failed
                && (fallback is null || await fallback.TryAnswerAsync(new(failed.Status), outcome) == FallbackResult.None))
            {
                state.LeaveLayers(outcome);
                await failed.SendAsync(context, problems, state.Baseline);
            }
        }
        catch (Exception exception)
        {
            await recovery.RecoverAsync(context, exception, ScopeOf(state));
        }
        finally
        {
            End(state, outcome, RequestDisposition.Of(outcome), fallback);
        }

        CutResponse.TellOuter(context, tellsOuter);
    }

    private async Task RecoverAsync(RequestState state, Exception exception)
    {
        state.EndGuards(hasFailed: true);
        var (context, tellsOuter) = (state.Context, state.TellsOuter);
        var outcome = CallOutcome.Failed;
        string? disposition = null;
        var fallback = fallbacks.For(state);
        try
        {
            var isTimeUp = state.HadTimeout && RefusalExceptions.Of(exception) is { Reason: RefusalReason.DeadlineExceeded };
            if (isTimeUp && !context.Response.HasStarted)
            {
                state.NoteTimedOut();
            }

            if (state.HasTimedOut && (isTimeUp || ClientPresence.IsCancellation(exception)) && (state.HasOverrun || !context.Response.HasStarted))
            {
                // What a timeout looks like from inside is no news.
                outcome = state.TimeoutOutcome;
                if (state.HasOverrun)
                {
                    CutResponse.Mark(context);
                }
                else
                {
                    await AnswerTimeoutAsync(state, fallback);
                }
            }
            else if (FrameworkTimeout.HasFired(context, exception))
            {
                outcome = FrameworkTimeout.HasClientLeft(context) ? CallOutcome.Ignored : outcome;
                if (fallback is null || context.Response.HasStarted || !await FrameworkTimeout.TryAnswerAsync(fallback, exception))
                {
                    ExceptionDispatchInfo.Throw(exception);
                }
            }
            else if (!state.Recovers)
            {
                outcome = exception is OperationCanceledException && context.RequestAborted.IsCancellationRequested ? CallOutcome.Ignored : outcome;
                if (fallback is null || state.HasOverrun || outcome == CallOutcome.Ignored || await fallback.TryAnswerAsync(new(exception)) == FallbackResult.None)
                {
                    ExceptionDispatchInfo.Throw(exception);
                }
            }
            else
            {
                var scope = ScopeOf(state);
                scope.Fallback = fallback;
                scope.LeaveLayers = state.Leave;
                scope.IsCut = state.HasOverrun;
                scope.TimedOutOutcome = state.TimeoutOutcome;
                scope.TimedOut = state.HasTimedOut ? state.TimeoutRefusal : null;
                (outcome, disposition) = await recovery.RecoverAsync(context, exception, scope);
                outcome = state.HasTimedOut ? state.TimeoutOutcome : outcome;
            }
        }
        finally
        {
            // For what has not left the layers yet: a handler of the application's may have turned the exception into a fine answer.
            End(state, outcome, disposition ?? RequestDisposition.Of(outcome), fallback);
        }

        CutResponse.TellOuter(context, tellsOuter);
    }

    private async Task AnswerTimeoutAsync(RequestState state, RequestFallback? fallback)
    {
        var refusal = state.TimeoutRefusal;
        RefusalWriter.Note(refusal);
        try
        {
            if (fallback is null || await fallback.TryAnswerAsync(new(refusal), state.TimeoutOutcome) == FallbackResult.None)
            {
                state.LeaveLayers(state.TimeoutOutcome);
                await refusals.WriteAsync(state.Context, refusal, state.Baseline);
            }
        }
        catch (Exception exception)
        {
            // Callbacks of the response's start are the application's. The outermost catch may take it that this task does not fail.
            await recovery.RecoverAsync(state.Context, exception, ScopeOf(state));
        }
    }

    private void End(RequestState state, CallOutcome outcome, string disposition, RequestFallback? fallback)
    {
        state.Recording?.Complete(succeeded: false);
        state.RequestBody?.Detach();
        Leave(state, outcome, fallback is { HasAnswered: true } ? RequestDisposition.Fallback : state.HasTimedOut ? RequestDisposition.TimedOut : disposition);
        states.Return(state);
    }

    private void Leave(RequestState state, CallOutcome outcome, string disposition)
    {
        state.LeaveLayers(outcome);
        Record(state.Context, state.Plan, state.Admission, outcome, disposition);
    }

    private void Record(HttpContext context, EndpointPlan plan, in Admission admission, CallOutcome outcome, string disposition)
    {
        if (watches.Of(plan) is { } watch)
        {
            Note(watch, context, plan, admission, outcome, disposition);
        }

        if (metrics.IsEnabled && admission.IsTimed)
        {
            metrics.Record(plan.Tag, disposition, gates.Elapsed(admission));
        }

        if (completions.IsEnabled)
        {
            completions.Note(context, disposition);
        }
    }

    private void Note(CallWatch watch, HttpContext context, EndpointPlan plan, in Admission admission, CallOutcome outcome, string disposition)
    {
        // No verdict on the endpoint, but its caller was refused.
        watch.Count(outcome == CallOutcome.Ignored && disposition == RequestDisposition.Refused ? CallEnd.Refused : (CallEnd)outcome);

        // How long a stream was watched, or a caller had patience, says nothing about the endpoint.
        if (admission.IsSampled && outcome != CallOutcome.Ignored && !StreamingResponse.HasStarted(context, plan))
        {
            watch.Measure(gates.Elapsed(admission));
        }
    }

    // Nothing announced this stream, but it has begun: raw handlers write their first event before they wait for the next one.
    private static void LetGoOfStream(RequestState state)
    {
        if (!state.IsShared && state.Context.Response.HasStarted && StreamingResponse.HasStarted(state.Context, state.Plan))
        {
            state.LeaveLayers(OutcomeOf(state.Context));
        }
    }

    private static void LetGoWhenStreaming(RequestState state)
    {
        state.IsShared = true;
        state.Context.Response.OnStarting(
            static argument =>
            {
                // Not for an answer in place of the endpoint's: how that one ended is decided elsewhere.
                var state = (RequestState)argument;
                if (!state.HasReturned && StreamingResponse.HasStarted(state.Context, state.Plan))
                {
                    state.LeaveLayers(OutcomeOf(state.Context));
                }

                return Task.CompletedTask;
            },
            state);
    }

    private static RecoveryScope ScopeOf(RequestState state) => new()
    {
        Endpoint = state.Plan.Key,
        Origin = ExceptionOrigins.Endpoint,
        Baseline = state.Baseline,
        LayerStates = static plan => ((EndpointPlan)plan!).DescribeLayers(),
        LayerStatesArgument = state.Plan,
    };

    private static CallOutcome OutcomeOf(HttpContext context) => OutcomeOf(context, context.Response.StatusCode);

    // RequestAborted is made on first use; asking for it on the way of every request would cost each of them an allocation.
    private static CallOutcome OutcomeOf(HttpContext context, int status) =>
        status < StatusCodes.Status500InternalServerError ? CallOutcome.Succeeded
        : context.RequestAborted.IsCancellationRequested ? CallOutcome.Ignored
        : CallOutcome.Failed;
}
