using Polly;
using ResilientHost.Propagation;

namespace ResilientHost.Calls;

/// <summary>One call on its way through its layers.</summary>
/// <param name="inbound">The request that it is made for.</param>
/// <param name="total">How long it may take; negative: as long as it takes.</param>
/// <param name="end">When that is over, as a timestamp.</param>
/// <param name="caller">The caller's own token, which that of an attempt is not.</param>
internal sealed class CallExecution(InboundCall? inbound, TimeSpan total, long end, CancellationToken caller)
{
    /// <summary>Where Polly's strategies find it.</summary>
    public static ResiliencePropertyKey<CallExecution?> Key { get; } = new("ResilientHost.Call");

    public CancellationToken Caller { get; } = caller;

    public InboundCall? Inbound { get; } = inbound;

    public TimeSpan Total { get; } = total;

    public long End { get; } = end;

    /// <summary>The wait before the next attempt.</summary>
    public TimeSpan NextDelay { get; set; }

    /// <summary>Whether it would have been made again, had it not been too often already.</summary>
    public bool IsExhausted { get; set; }

    /// <summary>The execution that a context is in.</summary>
    public static CallExecution? Of(ResilienceContext context) => context.Properties.TryGetValue(Key, out var execution) ? execution : null;
}
