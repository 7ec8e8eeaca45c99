using System.Diagnostics.CodeAnalysis;

using ResilientHost.CircuitBreaking;

namespace Polly;

/// <summary>Puts a <see cref="ResilientHost.CircuitBreaker"/> into a Polly pipeline.</summary>
/// <remarks>
/// The breaker stays the caller's: several pipelines may share it, and reloading it through
/// <see cref="ResilientHost.CircuitBreaker.Apply(ResilientHost.CircuitBreakerOptions)"/> keeps both its state and the pipelines. A refused call ends with a
/// <see cref="ResilientHost.RefusedException"/>, as an outcome where the pipeline is asked for outcomes.
/// </remarks>
public static class CircuitBreakerResiliencePipelineBuilderExtensions
{
    private const string NoAnnotations = "Polly checks data annotations by reflection; the options below have a name and no annotation.";

    /// <summary>Adds a circuit breaker for calls of any result type.</summary>
    /// <param name="builder">The builder.</param>
    /// <param name="breaker">The breaker.</param>
    /// <param name="classify">
    /// What an outcome means to the circuit; null counts every exception as <see cref="ResilientHost.CallOutcome.Failed"/> and all else as
    /// <see cref="ResilientHost.CallOutcome.Succeeded"/>. It is not asked about calls that the caller cancelled or a layer further in refused
    /// (<see cref="ResilientHost.RefusedException"/>): those are <see cref="ResilientHost.CallOutcome.Ignored"/>. When it throws, the call is ignored too and ends
    /// with its exception.
    /// </param>
    /// <returns>The builder.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="builder"/> or <paramref name="breaker"/> is null.</exception>
    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = NoAnnotations)]
    public static ResiliencePipelineBuilder AddResilientCircuitBreaker(
        this ResiliencePipelineBuilder builder,
        ResilientHost.CircuitBreaker breaker,
        Func<Outcome<object>, ResilientHost.CallOutcome>? classify = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(breaker);
        return builder.AddStrategy(_ => new CircuitBreakerStrategy(breaker, classify), new CircuitBreakerStrategyOptions(breaker.Name));
    }

    /// <summary>Adds a circuit breaker for calls of one result type.</summary>
    /// <typeparam name="TResult">The result type.</typeparam>
    /// <param name="builder">The builder.</param>
    /// <param name="breaker">The breaker.</param>
    /// <param name="classify">
    /// What an outcome means to the circuit; see
    /// <see cref="AddResilientCircuitBreaker(ResiliencePipelineBuilder, ResilientHost.CircuitBreaker, Func{Outcome{object}, ResilientHost.CallOutcome}?)"/>.
    /// </param>
    /// <returns>The builder.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="builder"/> or <paramref name="breaker"/> is null.</exception>
    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = NoAnnotations)]
    public static ResiliencePipelineBuilder<TResult> AddResilientCircuitBreaker<TResult>(
        this ResiliencePipelineBuilder<TResult> builder,
        ResilientHost.CircuitBreaker breaker,
        Func<Outcome<TResult>, ResilientHost.CallOutcome>? classify = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(breaker);
        return builder.AddStrategy(_ => new CircuitBreakerStrategy<TResult>(breaker, classify), new CircuitBreakerStrategyOptions(breaker.Name));
    }

    private sealed class CircuitBreakerStrategyOptions : ResilienceStrategyOptions
    {
        public CircuitBreakerStrategyOptions(string name) => Name = name;
    }
}
