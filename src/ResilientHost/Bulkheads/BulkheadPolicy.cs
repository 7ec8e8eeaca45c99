namespace ResilientHost.Bulkheads;

/// <summary>Validated options, frozen: built once per change, shared by every bulkhead that has the same ones.</summary>
internal sealed record BulkheadPolicy(BulkheadMode Mode, int Limit, int QueueLength, TimeSpan QueueTimeout, QueueOrder QueueOrder)
{
    /// <summary>The limit of a bulkhead that has none.</summary>
    public const int NoLimit = int.MaxValue;

    /// <summary>Freezes the options, or throws with everything that is wrong with them.</summary>
    public static BulkheadPolicy From(string name, BulkheadOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        BulkheadOptionsValidator.ThrowIfInvalid(name, options);
        return new BulkheadPolicy(options.Mode, options.MaxConcurrency ?? NoLimit, options.QueueLength, options.QueueTimeout, options.QueueOrder);
    }

    /// <summary>Whether a call that finds no room would wait for it.</summary>
    public bool CanQueue => Mode == BulkheadMode.Enforce && QueueLength > 0 && Limit != NoLimit;
}
