using ResilientHost.Bulkheads;
using ResilientHost.CircuitBreaking;
using ResilientHost.Recovery;

namespace ResilientHost.Hosting;

/// <summary>What the running suite works on: complete, valid, and with the kill switches already in the modes. Immutable.</summary>
internal sealed record ResilienceSettings(
    bool Enabled,
    RecoveryPolicy Recovery,
    CircuitBreakerSettings CircuitBreakers,
    BulkheadSettings Bulkheads);
