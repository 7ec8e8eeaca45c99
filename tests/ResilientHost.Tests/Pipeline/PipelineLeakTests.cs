using System.Runtime.CompilerServices;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using ResilientHost.Pipeline;

namespace ResilientHost.Tests.Pipeline;

/// <summary>What a million requests leave behind: nothing. Alone in the process while it runs, as the heap is everybody's.</summary>
[Collection("alone in the process")]
public sealed class PipelineLeakTests : IDisposable
{
    private const int Requests = 1_000_000;

    // Enough for every pool to have what so many lanes need.
    private const int WarmUp = 100_000;

    private readonly ManualTimeProvider _time = new();
    private readonly IHost _host;
    private readonly RequestDelegate _pipeline;
    private readonly LeakLane[] _lanes;
    private readonly List<WeakReference> _contexts = [];

    public PipelineLeakTests()
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton<TimeProvider>(_time);
        builder.AddResilienceLayers();
        _host = builder.Build();
        _pipeline = LayersUnderTest.Build(_host.Services);
        _lanes = [.. Enumerable.Range(0, 8).Select(lane => new LeakLane(_host.Services, isLasting: lane % 2 == 0))];
    }

    [Fact, Trait("Category", "Slow")]
    public async Task AMillionRequests_SomeOfThemTimingOutAndFallingBack_LeaveNothing()
    {
        await RunAsync(WarmUp, seed: 1);
        var heap = LivingBytes();
        await RunAsync(Requests, seed: 2);

        (LivingBytes() - heap).ShouldBeLessThan(256 * 1024);
        _contexts.Count.ShouldBeGreaterThan(1_000);
        _contexts.Count(static context => context.IsAlive).ShouldBe(0);

        // One for each timeout that waits in the pool for its next request.
        _time.ArmedTimers.ShouldBeLessThanOrEqualTo(_lanes.Length);
        foreach (var kind in Enum.GetValues<LeakKind>())
        {
            _lanes.Sum(lane => lane.Count(kind)).ShouldBeGreaterThan(1_000, kind.ToString());
        }

        _host.Services.GetRequiredService<BulkheadRegistry>().All.ShouldAllBe(bulkhead => bulkhead.Snapshot().InFlight == 0 && bulkhead.Snapshot().Queued == 0);
        var uses = _host.Services.GetRequiredService<EndpointFallbacksFactory>().Uses.ToArray();
        uses.Sum(use => use.InFlight).ShouldBe(0);
        uses.Sum(use => use.HandlerServed).ShouldBe(_lanes.Sum(lane => lane.FallenBack));

        // The connections break long after. What was never taken off the client's token is still told, or throws because it is gone.
        foreach (var lane in _lanes)
        {
            await lane.BreakAsync();
        }

        _lanes.Sum(lane => lane.LateCallbacks).ShouldBe(0);
    }

    public void Dispose() => _host.Dispose();

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long LivingBytes()
    {
        for (var round = 0; round < 3; round++)
        {
            GC.Collect(GC.MaxGeneration, GCCollectionMode.Forced, blocking: true, compacting: true);
            GC.WaitForPendingFinalizers();
        }

        var memory = GC.GetGCMemoryInfo(GCKind.FullBlocking);
        return memory.HeapSizeBytes - memory.FragmentedBytes;
    }

    // As many requests at once as there are lanes; those that wait for the time to pass end after the others.
    private async Task RunAsync(int requests, int seed)
    {
        var random = new Random(seed);
        for (var request = 0; request < requests; request += _lanes.Length)
        {
            foreach (var lane in _lanes)
            {
                lane.Begin(_pipeline, random);
            }

            await EndAsync(LeakPatience.None);
            if (_lanes.Any(static lane => lane.Patience != LeakPatience.None))
            {
                _time.Advance(LeakLane.Timeout);
                await EndAsync(LeakPatience.Timeout);
                _time.Advance(LeakLane.Timeout);
                await EndAsync(LeakPatience.Grace);
            }

            if (request % 800 == 0)
            {
                _contexts.Add(_lanes[0].Renew());
            }
        }
    }

    private async Task EndAsync(LeakPatience patience)
    {
        foreach (var lane in _lanes)
        {
            if (lane.Patience == patience)
            {
                await lane.EndAsync();
            }
        }
    }
}

/// <summary>Tests that measure what all of the process does.</summary>
[CollectionDefinition("alone in the process", DisableParallelization = true)]
public sealed class AloneInTheProcess;
