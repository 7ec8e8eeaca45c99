using ResilientHost.Benchmarks.Bulkheads;
using ResilientHost.Benchmarks.Caching;
using ResilientHost.Benchmarks.CircuitBreaking;
using ResilientHost.Benchmarks.Dashboard;
using ResilientHost.Benchmarks.Degradation;
using ResilientHost.Benchmarks.Exceptions;
using ResilientHost.Benchmarks.Outbound;
using ResilientHost.Benchmarks.Partitions;
using ResilientHost.Benchmarks.Requests;
using ResilientHost.Benchmarks.Start;

namespace ResilientHost.Benchmarks.Ratios;

/// <summary>Everything that is compared, in the order of the table. Names are stable: bars and readers bind to them.</summary>
internal static class Rows
{
    private const string PollyClosed = "Polly closed breaker";
    private const string Limiter = "ConcurrencyLimiter";
    private const string StormHandler = "stock handler, ten frames deep";
    private const string OneThread = "the same on one thread";
    private const string Keyed = "Polly breaker + limiter partition";
    private const string WithoutAny = "the application without layers";
    private const string Without = "the layers without it";

    private static readonly StartComparison Handlers = new(ServerProgram.Handlers, endpoints: 1000);
    private static readonly StartComparison Delegates = new(ServerProgram.Delegates, endpoints: 1000);

    public static IReadOnlyList<Comparison> All { get; } =
    [
        new("breaker/closed-success", PollyClosed, () => (GuardedCalls.Closed(), PollyCalls.Closed())),
        new("breaker/closed-success-slow-call-timing", PollyClosed, () => (GuardedCalls.TimingSlowCalls(), PollyCalls.Closed())),
        new("breaker/closed-success-count-window", PollyClosed, () => (GuardedCalls.CountingTheLast(100), PollyCalls.Closed())),
        new("breaker/closed-success-2-threads", PollyClosed, () => (GuardedCalls.Closed(), PollyCalls.Closed())) { Threads = 2 },
        new("breaker/closed-success-8-threads", PollyClosed, () => (GuardedCalls.Closed(), PollyCalls.Closed())) { Threads = 8 },
        new("breaker/cpu-per-call-2-threads", OneThread, effort => ThreadCost.Measure("breaker/cpu-per-call-2-threads", 2, GuardedCalls.Closed, effort)),
        new("breaker/cpu-per-call-8-threads", OneThread, effort => ThreadCost.Measure("breaker/cpu-per-call-8-threads", 8, GuardedCalls.Closed, effort)),
        new("breaker/cpu-per-call-2-apart", OneThread, effort => ThreadCost.Measure("breaker/cpu-per-call-2-apart", 2, () => ThreadCost.Apart(GuardedCalls.Closed), effort)),
        new("breaker/cpu-per-call-8-apart", OneThread, effort => ThreadCost.Measure("breaker/cpu-per-call-8-apart", 8, () => ThreadCost.Apart(GuardedCalls.Closed), effort)),
        new("breaker/closed-failure", "Polly ExecuteOutcomeAsync", () => (new GuardedFailures(), PollyOutcomes.Failing())),
        new("breaker/open-refusal", "Polly open breaker, throws", () => (GuardedCalls.Open(), new PollyOpenThrowing())),
        new("breaker/open-refusal-outcome", "Polly open, ExecuteOutcomeAsync", () => (GuardedCalls.Open(), PollyOutcomes.Open())),
        new("bulkhead/admitted", Limiter, () => (BulkheadCalls.WithRoom(), LimiterCalls.WithRoom())),
        new("bulkhead/admitted-async", Limiter + ", AcquireAsync", () => (new BulkheadAsyncCalls(), new LimiterAsyncCalls())),
        new("bulkhead/admitted-semaphore", "SemaphoreSlim, Wait(0)", () => (BulkheadCalls.WithRoom(), new SemaphoreCalls())),
        new("bulkhead/admitted-aimd", Limiter, () => (BulkheadCalls.Adaptive(AdaptiveLimit.Aimd), LimiterCalls.WithRoom())),
        new("bulkhead/admitted-gradient2", Limiter, () => (BulkheadCalls.Adaptive(AdaptiveLimit.Gradient2), LimiterCalls.WithRoom())),
        new("bulkhead/admitted-2-threads", Limiter, () => (BulkheadCalls.WithRoom(), LimiterCalls.WithRoom())) { Threads = 2 },
        new("bulkhead/refused-full", Limiter, () => (BulkheadCalls.Full(), LimiterCalls.Full())),
        new("bulkhead/admitted-fair-share", "PartitionedRateLimiter", () => (new SharedBulkheadCalls(), new PartitionedLimiterCalls())),
        new("partition/idle-bytes", Keyed, static _ => PartitionCost.Idle("partition/idle-bytes")),
        new("partition/idle-bytes-spread-calls", Keyed, static _ => PartitionCost.IdleAfterSpreadCalls("partition/idle-bytes-spread-calls")),
        new("partition/create", Keyed, static _ => PartitionCost.Create("partition/create")),
        new("degradation/look", "one look at the clock", () => (new LevelLookCalls(), new ClockCalls())),
        new("request/synchronous-endpoint", "the bare endpoint", () => (RequestCalls.Layered(), RequestCalls.Bare())),
        new("request/synchronous-endpoint-http2", "the bare endpoint", () => (RequestCalls.LayeredHttp2(), RequestCalls.BareHttp2())),
        new("request/awaiting-endpoint", "the bare endpoint", () => (RequestCalls.LayeredAwaiting(), RequestCalls.BareAwaiting())),
        new("request/awaiting-endpoint-http2", "the bare endpoint", () => (RequestCalls.LayeredAwaitingHttp2(), RequestCalls.BareAwaitingHttp2())),
        new("request/synchronous-endpoint-stock", "stock handler + limiter + Polly", () => (RequestCalls.Layered(), RequestCalls.StockStack())),
        new("request/added", "what the stock stack adds", () => (RequestCalls.Layered(), RequestCalls.StockStackWithTimeout())) { Base = RequestCalls.Bare },
        new("request/added-timeout", "what the stock stack adds", () => (RequestCalls.LayeredWithTimeout(), RequestCalls.StockStackWithTimeout())) { Base = RequestCalls.Bare },
        new("request/all-instruments-listened", "nobody listens", () => (RequestCalls.LayeredListened(), RequestCalls.Layered())),
        new("request/fallback", Without, () => (RequestCalls.LayeredWithFallback(), RequestCalls.Layered())),
        new("request/fallback-awaiting", Without, () => (RequestCalls.LayeredAwaitingWithFallback(), RequestCalls.LayeredAwaiting())),
        new("request/stale-fallback", Without, () => (RequestCalls.LayeredWithStaleFallback(), RequestCalls.Layered())),
        new("request/timeout", Without, () => (RequestCalls.LayeredWithTimeout(), RequestCalls.Layered())),
        new("request/timeout-awaiting", Without, () => (RequestCalls.LayeredAwaitingWithTimeout(), RequestCalls.LayeredAwaiting())),
        new("request/timeout-stock", "stock stack + RequestTimeouts", () => (RequestCalls.LayeredWithTimeout(), RequestCalls.StockStackWithTimeout())),
        new("request/timeout-stock-alone", "RequestTimeouts, nothing else", () => (RequestCalls.LayeredWithTimeout(), RequestCalls.StockTimeout())),
        new("dashboard/closed", "the layers without it", () => (RequestCalls.LayeredWatched(), RequestCalls.Layered())),
        new("dashboard/ten-pages", "no page open", PageCalls.TenAndNone) { OfProcess = true },
        new("refusal/circuit-open-problem", "Polly open, stock handler", () => (RequestCalls.LayeredOpen(), RequestCalls.StockPollyOpen())),
        new("refusal/circuit-open-problem-plain-throw", "endpoint throws, stock handler", () => (RequestCalls.LayeredOpen(), RequestCalls.StockThrowing())),
        new("degradation/shed-problem", "the same request, served", () => (RequestCalls.LayeredShed(), RequestCalls.LayeredWithId())),
        new("outbound/success", "Polly's strategies by hand", () => (HttpCalls.Layered(awaits: false), HttpCalls.Polly(awaits: false))),
        new("outbound/success-awaiting", "Polly's strategies by hand", () => (HttpCalls.Layered(awaits: true), HttpCalls.Polly(awaits: true))),
        new("outbound/success-bare", "the client without layers", () => (HttpCalls.Layered(awaits: false), HttpCalls.Bare(awaits: false))),
        new("cache/hit", "MemoryCache.TryGetValue", () => (new CacheReads(), new MemoryCacheReads())),
        new("recovery/throwing-endpoint", "endpoint throws, stock handler", () => (RequestCalls.LayeredThrowing(), RequestCalls.StockThrowing())),
        new("recovery/storm-logged", StormHandler, Storm.Logged),
        new("recovery/storm", StormHandler, Storm.Unlogged),
        new("recovery/storm-layers", "stock stack, ten frames deep", Storm.ThroughLayers),
        .. FailingCalls.Rows(),
        new("failing/fallback", "the same without the fallback", FailingCalls.FallingBack),
        new("failing/fallback-own", "exception handler, same answer", FailingCalls.FallingBackItself),
        new("start/thousand-delegates", WithoutAny, effort => Delegates.Cpu("start/thousand-delegates", effort)),
        new("start/thousand-endpoints", WithoutAny, effort => Handlers.Cpu("start/thousand-endpoints", effort)),
        new("start/thousand-endpoints-wall", WithoutAny, effort => Handlers.Wall("start/thousand-endpoints-wall", effort)),
    ];
}
