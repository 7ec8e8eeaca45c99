namespace ResilientHost.Bulkheads;

/// <summary>The instruments that read groups of bulkheads.</summary>
[Flags]
internal enum BulkheadInstrument
{
    None = 0,
    InFlight = 1,
    Queued = 2,
    Limit = 4,
    Refusals = 8,
    ShadowRefusals = 16,
}
