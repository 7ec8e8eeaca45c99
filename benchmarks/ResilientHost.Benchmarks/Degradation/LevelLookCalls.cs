using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using ResilientHost.Benchmarks.Ratios;
using ResilientHost.Benchmarks.Requests;
using ResilientHost.Connections;
using ResilientHost.Degradation;
using ResilientHost.Pipeline;
using RequestPipeline = ResilientHost.Benchmarks.Requests.Pipeline;

namespace ResilientHost.Benchmarks.Degradation;

/// <summary>All that the request path asks of degradation, callers and the door while all is well: everything the slice adds to a request.</summary>
internal sealed class LevelLookCalls : IOperation, IDisposable
{
    private readonly RequestPipeline _pipeline = RequestPipeline.Layered();
    private readonly ConnectionDoor _door;
    private readonly RequestShedder _shedder;
    private readonly EndpointPlan _plan;

    public LevelLookCalls()
    {
        var services = _pipeline.Services;
        _door = services.GetRequiredService<ConnectionDoor>();
        _shedder = services.GetRequiredService<RequestShedder>();
        _plan = services.GetRequiredService<EndpointPlans>().Of(Endpoints.Synchronous(services, Layers.Named()));
    }

    public void Run(int count)
    {
        for (var i = 0; i < count; i++)
        {
            if (_door.ClosesConnections || _shedder.IsActive || _plan.TellsCallersApart)
            {
                throw new InvalidOperationException("All must be well.");
            }
        }
    }

    public void Dispose() => _pipeline.Dispose();
}

/// <summary>One look at the exact clock, the measure of what a request may cost without anyone noticing.</summary>
internal sealed class ClockCalls : IOperation
{
    private long _last;

    public void Run(int count)
    {
        for (var i = 0; i < count; i++)
        {
            _last = Stopwatch.GetTimestamp();
        }
    }
}
