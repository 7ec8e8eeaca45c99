using System.Diagnostics.CodeAnalysis;
using Polly;

namespace ResilientHost.Calls;

/// <summary>All layers of the calls of one name as one strategy: which ones there are is decided anew for each call.</summary>
internal sealed class CallStrategy(NamedCall call) : ResilienceStrategy
{
    /// <summary>Puts the layers into a pipeline.</summary>
    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "Polly checks data annotations by reflection; the options below have a name and no annotation.")]
    public static void AddTo(ResiliencePipelineBuilder builder, NamedCall call)
    {
        call.ReportTo(builder.TelemetryListener);
        builder.AddStrategy(_ => new CallStrategy(call), new CallStrategyOptions(call.LayerName));
    }

    protected override ValueTask<Outcome<TResult>> ExecuteCore<TResult, TState>(
        Func<ResilienceContext, TState, ValueTask<Outcome<TResult>>> callback, ResilienceContext context, TState state) =>
        call.ExecuteAsync(callback, context, state);

    private sealed class CallStrategyOptions : ResilienceStrategyOptions
    {
        public CallStrategyOptions(string name) => Name = name;
    }
}
