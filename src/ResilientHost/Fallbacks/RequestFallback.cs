using Microsoft.AspNetCore.Http;
using ResilientHost.Refusals;

namespace ResilientHost.Fallbacks;

/// <summary>What one request that failed has to fall back on. Made when it has failed; not thread-safe.</summary>
internal sealed class RequestFallback(FallbackRunner runner, HttpContext context, EndpointFallbacks fallbacks, FallbackPolicy policy, ResponseBaseline baseline)
{
    private GuardedResponseBody? _handlers;

    public HttpContext Context { get; } = context;

    public EndpointFallbacks Fallbacks { get; } = fallbacks;

    public FallbackPolicy Policy { get; } = policy;

    /// <summary>What outer middleware had set of the response.</summary>
    public ResponseBaseline Baseline { get; } = baseline;

    /// <summary>Whether authorization had let the request pass before it came to the layers.</summary>
    public bool WasAuthorized { get; init; }

    /// <summary>What the endpoint has read of the request's body; <see langword="null"/> when it was not kept.</summary>
    public ReplayableRequestBody? RequestBody { get; init; }

    /// <summary>What the request asked for when it came, where a response that was kept may answer it.</summary>
    public uint? AskedFor { get; init; }

    /// <summary>The key of <see cref="AskedFor"/>, where it had to be made before the endpoint ran.</summary>
    public string? StaleKey { get; init; }

    /// <summary>The endpoint has not run: nobody has read the request's body, or changed what it asks for.</summary>
    public bool IsUntouched { get; init; }

    /// <summary>Whether a fallback gave the answer.</summary>
    public bool HasAnswered { get; private set; }

    /// <summary>Ends what the request holds of its endpoint's layers; called before a fallback runs, which stands outside of them.</summary>
    public Action<CallOutcome>? LeaveLayers { get; init; }

    /// <summary>Asks the fallbacks in their order. Never throws. Asked once: a request falls back on them, and they on nothing.</summary>
    /// <param name="cause">Why.</param>
    /// <param name="outcome">How the endpoint's own call counts, whatever a fallback makes of it.</param>
    public async ValueTask<FallbackResult> TryAnswerAsync(FallbackCause cause, CallOutcome outcome = CallOutcome.Failed)
    {
        LeaveLayers?.Invoke(outcome);
        var result = await runner.TryAnswerAsync(this, cause);
        HasAnswered = result == FallbackResult.Answered;
        return result;
    }

    /// <summary>From here on an answer of 500 or above, as an exception handler may give, is held back.</summary>
    public void HoldFailures()
    {
        if (!HttpMethods.IsHead(Context.Request.Method))
        {
            _handlers = GuardedResponseBody.Attach(Context, replacesFailures: true, tap: null);
        }
    }

    /// <summary>Ends <see cref="HoldFailures"/>. What was held back, if it was an answer at all.</summary>
    public FailedAnswer? TakeHeld()
    {
        if (_handlers is not { } body)
        {
            return null;
        }

        _handlers = null;
        body.Detach();
        return FailedAnswer.Take(Context.Response, body);
    }
}
