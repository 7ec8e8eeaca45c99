using ResilientHost.Fallbacks;
using ResilientHost.Refusals;

namespace ResilientHost.Recovery;

/// <summary>What the hop that caught an exception knows of the request. Filled by the hop; reusable, one request at a time.</summary>
internal sealed class RecoveryScope
{
    /// <summary>The endpoint: its name, else method and route pattern. Never a path, which is the caller's to choose.</summary>
    public string Endpoint { get; set; } = "(none)";

    /// <summary>One of <see cref="ExceptionOrigins"/>.</summary>
    public string Origin { get; set; } = ExceptionOrigins.Endpoint;

    /// <summary>What of the response stays.</summary>
    public ResponseBaseline Baseline { get; set; } = ResponseBaseline.Outermost;

    /// <summary>
    /// The server's own token of the client's presence, when a layer has replaced <c>HttpContext.RequestAborted</c> by one that it cancels itself;
    /// <see langword="null"/> means that of the request.
    /// </summary>
    public CancellationToken? ClientAborted { get; set; }

    /// <summary>What may answer in place of the failure; <see langword="null"/> when the endpoint has nothing.</summary>
    public RequestFallback? Fallback { get; set; }

    /// <summary>The refusal of a timeout that had run out when the exception was thrown: the answer is that of the timeout.</summary>
    public Refusal? TimedOut { get; set; }

    /// <summary>How the call counts when <see cref="TimedOut"/>.</summary>
    public CallOutcome TimedOutOutcome { get; set; } = CallOutcome.Failed;

    /// <summary>Told how the call counts before the answer is written: whoever has read it finds a circuit that knows. Told nothing where an answer of the application's own decides that.</summary>
    public Action<CallOutcome>? LeaveLayers { get; set; }

    /// <summary>The connection has been aborted already, by a layer: there is nobody to answer, but something to tell.</summary>
    public bool IsCut { get; set; }

    /// <summary>The exception, when no request of this host has failed with the same object before.</summary>
    public Exception? Fresh { get; set; }

    /// <summary>What <see cref="LayerStates"/> is called with.</summary>
    public object? LayerStatesArgument { get; set; }

    /// <summary>Describes the layers around the endpoint for the log; called only when an exception is logged in full.</summary>
    public Func<object?, string?>? LayerStates { get; set; }

    /// <summary>The layers' states for people; <see langword="null"/> when there are none.</summary>
    public string? DescribeLayers() => LayerStates?.Invoke(LayerStatesArgument);
}
