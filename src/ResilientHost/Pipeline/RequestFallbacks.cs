using Microsoft.AspNetCore.Http;
using ResilientHost.Fallbacks;

namespace ResilientHost.Pipeline;

/// <summary>What fallbacks need to be told before the endpoint is called, and to know when it has failed. Thread-safe.</summary>
internal sealed class RequestFallbacks(FallbackRunner runner, Hosting.MonotonicClock clock)
{
    /// <summary>Before the endpoint is called.</summary>
    public void Begin(RequestState state, FallbackPolicy policy)
    {
        var (context, plan) = (state.Context, state.Plan);
        if (plan.Fallbacks is not { } fallbacks || !policy.Enabled)
        {
            return;
        }

        state.FallbackPolicy = policy;

        // Now: further in, authorization may be what fails. Not HasFlag, which boxes both sides until the compiler has optimised this.
        state.WasAuthorized = (fallbacks.Authorization & RequiredAuthorization.Middleware) != RequiredAuthorization.None && FallbackAuthorization.HasRun(context);
        if (fallbacks.Handler is { ReadsBody: true })
        {
            state.RequestBody = ReplayableRequestBody.Attach(context);
        }

        var replaces = !plan.IsStreaming && !HttpMethods.IsHead(context.Request.Method) && !HttpMethods.IsConnect(context.Request.Method) && context.Request.Headers.Upgrade.Count == 0;
        StaleRecording? recording = null;
        if (fallbacks.Stale is { } stale)
        {
            recording = stale.ShouldRecord(context, clock.CoarseTimestamp(), out var asked) ? stale.Record(context, asked.GetValueOrDefault()) : null;
            state.AskedFor = asked;
        }

        if (replaces || recording is not null)
        {
            state.BeginGuard(replaces, recording);
        }
    }

    /// <summary>Whether a response that has not started may be replaced: a failure, of a kind that is held back.</summary>
    public static bool MayReplace(RequestState state) =>
        state.ReplacesFailures && FailedAnswer.IsHeldBack(state.Context.Response, state.Body);

    /// <summary>What a request that has failed falls back on; <see langword="null"/> when its endpoint has nothing. Good until its state is given back.</summary>
    public RequestFallback? For(RequestState state)
    {
        if (state is not { FallbackPolicy: { } policy, Plan.Fallbacks: { } fallbacks })
        {
            return null;
        }

        var fallback = state.BeginFallback(runner, fallbacks, policy);
        fallback.WasAuthorized = state.WasAuthorized;
        fallback.RequestBody = state.RequestBody;
        fallback.AskedFor = state.AskedFor;
        fallback.StaleKey = state.Recording?.Key;
        fallback.LeaveLayers = state.Leave;
        return fallback;
    }

    /// <summary>What a request falls back on that was refused before its endpoint was called. Good until its state is given back.</summary>
    public RequestFallback? ForRefused(RequestState state, FallbackPolicy policy)
    {
        if (state.Plan.Fallbacks is not { } fallbacks || !policy.Enabled)
        {
            return null;
        }

        var fallback = state.BeginFallback(runner, fallbacks, policy);
        fallback.WasAuthorized = (fallbacks.Authorization & RequiredAuthorization.Middleware) != RequiredAuthorization.None && FallbackAuthorization.HasRun(state.Context);
        fallback.IsUntouched = true;
        return fallback;
    }
}
