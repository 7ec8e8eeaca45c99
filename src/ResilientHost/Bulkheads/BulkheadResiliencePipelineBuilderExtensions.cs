using System.Diagnostics.CodeAnalysis;
using ResilientHost;
using ResilientHost.Bulkheads;

namespace Polly;

/// <summary>Puts a <see cref="Bulkhead"/> into a Polly pipeline.</summary>
/// <remarks>
/// A call waits in the bulkhead's queue, if it has one, under the pipeline's cancellation token. A refusal is an outcome with a
/// <see cref="RefusedException"/>. The lease is held until the rest of the pipeline has ended, however it ends. A bulkhead may be in many pipelines; a reload
/// through <see cref="Bulkhead.Apply(BulkheadOptions)"/> reaches all of them.
/// </remarks>
public static class BulkheadResiliencePipelineBuilderExtensions
{
    private const string NothingToTrim = "Polly validates the options by their data annotations; ours have none of their own, and DynamicDependency keeps what they inherit.";

    /// <summary>Adds the bulkhead to a pipeline for callbacks of any result.</summary>
    /// <param name="builder">The pipeline's builder.</param>
    /// <param name="bulkhead">The bulkhead.</param>
    /// <param name="classify">
    /// How an outcome counts. By default a result is a success, the caller's cancellation and another layer's refusal are
    /// ignored, and every other exception, a timeout included, is a failure.
    /// </param>
    /// <returns>The builder.</returns>
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(BulkheadStrategyOptions))]
    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = NothingToTrim)]
    public static ResiliencePipelineBuilder AddResilientBulkhead(
        this ResiliencePipelineBuilder builder, Bulkhead bulkhead, Func<Outcome<object>, CallOutcome>? classify = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(bulkhead);
        return builder.AddStrategy(_ => new BulkheadStrategy(bulkhead, classify), new BulkheadStrategyOptions(bulkhead));
    }

    /// <summary>Adds the bulkhead to a pipeline of one result type.</summary>
    /// <typeparam name="TResult">The result.</typeparam>
    /// <param name="builder">The pipeline's builder.</param>
    /// <param name="bulkhead">The bulkhead.</param>
    /// <param name="classify">
    /// How an outcome counts. By default a result is a success, the caller's cancellation and another layer's refusal are
    /// ignored, and every other exception, a timeout included, is a failure.
    /// </param>
    /// <returns>The builder.</returns>
    [DynamicDependency(DynamicallyAccessedMemberTypes.All, typeof(BulkheadStrategyOptions))]
    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = NothingToTrim)]
    public static ResiliencePipelineBuilder<TResult> AddResilientBulkhead<TResult>(
        this ResiliencePipelineBuilder<TResult> builder, Bulkhead bulkhead, Func<Outcome<TResult>, CallOutcome>? classify = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        ArgumentNullException.ThrowIfNull(bulkhead);
        return builder.AddStrategy(_ => new BulkheadStrategy<TResult>(bulkhead, classify), new BulkheadStrategyOptions(bulkhead));
    }
}
