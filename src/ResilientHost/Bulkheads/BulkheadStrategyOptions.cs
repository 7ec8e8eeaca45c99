using Polly;

namespace ResilientHost.Bulkheads;

/// <summary>What Polly shows of the strategy; the bulkhead brings its own options.</summary>
internal sealed class BulkheadStrategyOptions : ResilienceStrategyOptions
{
    public BulkheadStrategyOptions(Bulkhead bulkhead) => Name = bulkhead.Name;
}
