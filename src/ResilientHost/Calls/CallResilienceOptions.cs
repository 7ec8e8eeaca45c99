using System.Data.Common;
using ResilientHost.Hosting;

namespace ResilientHost;

/// <summary>How calls of one name are protected, whatever they call. Bound from <c>Resilience:Calls:&lt;name&gt;</c>.</summary>
/// <remarks>
/// <para>
/// The layers, outermost first: total timeout → retry, under a budget → for each attempt: bulkhead → circuit breaker → attempt timeout. They make up the pipeline of that name in the container's
/// <c>ResiliencePipelineRegistry&lt;string&gt;</c>.
/// </para>
/// <para>Not thread-safe; read once per change of configuration, which pipelines follow in place: breaker and bulkhead keep their state.</para>
/// </remarks>
public sealed class CallResilienceOptions : ICopiedOptions
{
    /// <summary>The kill switch of these calls.</summary>
    /// <value>Default <see langword="true"/>. <see langword="false"/> passes calls through; reloads, both ways.</value>
    public bool Enabled { get; set; } = true;

    /// <summary>How long a call may take, with all its attempts and the waits between them.</summary>
    /// <value>From 1 ms to 1 day; default 30 s; <see langword="null"/>: as long as it takes. Cancels the token that the call is given.</value>
    public TimeSpan? TotalTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long one attempt may take.</summary>
    /// <value>From 1 ms to <see cref="TotalTimeout"/>; default <see langword="null"/>: 10 s, or the total where that is shorter.</value>
    public TimeSpan? AttemptTimeout { get; set; }

    /// <summary>When a failed attempt is made again. Off by default (<c>MaxAttempts</c> 1): nobody but you knows which calls may be made twice.</summary>
    public RetryOptions Retry { get; private set; } = new() { MaxAttempts = 1 };

    /// <summary>The circuit breaker.</summary>
    /// <value>The breaker's own defaults. What tells inbound callers apart must not be set.</value>
    public CircuitBreakerOptions CircuitBreaker { get; private set; } = new();

    /// <summary>The bulkhead.</summary>
    /// <value>The bulkhead's own defaults. What tells inbound callers apart must not be set.</value>
    public BulkheadOptions Bulkhead { get; private set; } = new();

    /// <summary>What an exception means to the circuit.</summary>
    /// <value>
    /// Default <see langword="null"/>: a <see cref="DbException"/> with which the database refused the statement itself (not <see cref="DbException.IsTransient"/>, with a SQLSTATE of a statement's own fault)
    /// succeeded, every other exception failed. Not asked about what the caller cancelled, nor about what the deadline of an inbound request's caller did. When it throws, the exception counts as a failure.
    /// </value>
    public Func<Exception, CallOutcome>? Classify { get; set; }

    /// <summary>Whether an attempt that failed with an exception may be made again.</summary>
    /// <value>Default <see langword="null"/>: whatever counts as a failure; of a <see cref="DbException"/>, what is <see cref="DbException.IsTransient"/>. When it throws, no.</value>
    public Func<Exception, bool>? ShouldRetry { get; set; }

    object ICopiedOptions.Copy()
    {
        var copy = (CallResilienceOptions)MemberwiseClone();
        copy.Retry = Retry.Copied();
        copy.CircuitBreaker = CircuitBreaker.Copied();
        copy.Bulkhead = Bulkhead.Copied();
        return copy;
    }
}
