using ResilientHost.Bulkheads;
using ResilientHost.Caching;
using ResilientHost.Callers;
using ResilientHost.Calls;
using ResilientHost.CircuitBreaking;
using ResilientHost.Connections;
using ResilientHost.Dashboard;
using ResilientHost.Degradation;
using ResilientHost.Fallbacks;
using ResilientHost.IsolatedTasks;
using ResilientHost.Outbound;
using ResilientHost.Recovery;
using ResilientHost.Shutdown;
using ResilientHost.Timeouts;
using ResilientHost.Workers;

namespace ResilientHost.Hosting;

/// <summary>What the running suite works on: complete, valid, and with the kill switches already in the modes. Immutable.</summary>
internal sealed record ResilienceSettings(
    bool Enabled,
    RecoveryPolicy Recovery,
    TimeoutPolicy Timeouts,
    FallbackPolicy Fallbacks,
    DegradationPolicy Degradation,
    ConnectionPolicy Connections,
    TrustedCallerPolicy TrustedCallers,
    CircuitBreakerSettings CircuitBreakers,
    BulkheadSettings Bulkheads,
    HttpClientSettings HttpClients,
    CallSettings Calls,
    CacheSettings Caches,
    WorkerSettings Workers,
    DeadLetterOptions DeadLetters,
    IsolatedTaskPolicy IsolatedTasks,
    ShutdownPolicy Shutdown,
    DashboardPolicy Dashboard);
