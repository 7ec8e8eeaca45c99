namespace ResilientHost.Bulkheads;

/// <summary>What configuration says of bulkheads: those with a name, and the one that each endpoint without a named one gets.</summary>
internal sealed record BulkheadSettings(IReadOnlyDictionary<string, BulkheadOptions> Named, BulkheadOptions ForEndpoints)
{
    /// <summary>No named bulkheads; endpoints are measured without a limit.</summary>
    public static BulkheadSettings Default { get; } =
        new(new Dictionary<string, BulkheadOptions>(StringComparer.OrdinalIgnoreCase), new BulkheadOptions { MaxConcurrency = null });
}
