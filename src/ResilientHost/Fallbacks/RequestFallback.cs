using Microsoft.AspNetCore.Http;
using ResilientHost.Refusals;

namespace ResilientHost.Fallbacks;

/// <summary>What one request that failed has to fall back on. Kept with the state of a request and used again with it: nothing outside of the layers is ever given it. Not thread-safe.</summary>
internal sealed class RequestFallback
{
    private FallbackCause _cause;
    private FallbackRunner _runner = null!;
    private GuardedResponseBody? _handlers;

    public HttpContext Context { get; private set; } = null!;

    public EndpointFallbacks Fallbacks { get; private set; } = null!;

    public FallbackPolicy Policy { get; private set; } = null!;

    /// <summary>What outer middleware had set of the response.</summary>
    public ResponseBaseline Baseline { get; private set; } = null!;

    /// <summary>Whether authorization had let the request pass before it came to the layers.</summary>
    public bool WasAuthorized { get; set; }

    /// <summary>What the endpoint has read of the request's body; <see langword="null"/> when it was not kept.</summary>
    public ReplayableRequestBody? RequestBody { get; set; }

    /// <summary>What the request asked for when it came, where a response that was kept may answer it.</summary>
    public uint? AskedFor { get; set; }

    /// <summary>The key of <see cref="AskedFor"/>, where it had to be made before the endpoint ran.</summary>
    public string? StaleKey { get; set; }

    /// <summary>The endpoint has not run: nobody has read the request's body, or changed what it asks for.</summary>
    public bool IsUntouched { get; set; }

    /// <summary>Whether a fallback gave the answer.</summary>
    public bool HasAnswered { get; set; }

    /// <summary>Ends what the request holds of its endpoint's layers; called before a fallback runs, which stands outside of them.</summary>
    public Action<CallOutcome>? LeaveLayers { get; set; }

    /// <summary>Why it is asked.</summary>
    public ref readonly FallbackCause Cause => ref _cause;

    /// <summary>Sets everything: nothing of the request before is left.</summary>
    public void Begin(FallbackRunner runner, HttpContext context, EndpointFallbacks fallbacks, FallbackPolicy policy, ResponseBaseline baseline)
    {
        _runner = runner;
        Context = context;
        Fallbacks = fallbacks;
        Policy = policy;
        Baseline = baseline;
        WasAuthorized = false;
        RequestBody = null;
        AskedFor = null;
        StaleKey = null;
        IsUntouched = false;
        HasAnswered = false;
        LeaveLayers = null;
    }

    /// <summary>Lets go of the request.</summary>
    public void End()
    {
        _cause = default;
        _handlers = null;
        Begin(null!, null!, null!, null!, null!);
    }

    /// <summary>Asks the fallbacks in their order. Asked once: a request falls back on them, and they on nothing.</summary>
    /// <param name="cause">Why.</param>
    /// <param name="outcome">How the endpoint's own call counts, whatever a fallback makes of it.</param>
    public ValueTask<FallbackResult> TryAnswerAsync(in FallbackCause cause, CallOutcome outcome = CallOutcome.Failed)
    {
        LeaveLayers?.Invoke(outcome);
        _cause = cause;
        return _runner.TryAnswerAsync(this);
    }

    /// <summary>From here on an answer of 500 or above, as an exception handler may give, is held back.</summary>
    public void HoldFailures()
    {
        if (!HttpMethods.IsHead(Context.Request.Method))
        {
            _handlers = GuardedResponseBody.Attach(Context, replacesFailures: true, tap: null, GuardedAnswer.Substitute);
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

        // Of a handler that threw, or answered what does not stand: what it left running must not find the fallback's answer.
        body.Detach(mayBeHeld: true);
        return FailedAnswer.Take(Context.Response, body);
    }
}
