using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using ResilientHost.Benchmarks.Ratios;
using ResilientHost.Benchmarks.Requests;

namespace ResilientHost.Benchmarks.Exceptions;

/// <summary>A request whose endpoint throws at once, through recovery and so many layers more: what the last of them adds where something fails already.</summary>
/// <remarks>The answer is the same problem on both sides. The breaker counts, and does not open.</remarks>
internal static class FailingCalls
{
    private static readonly TimeSpan Long = TimeSpan.FromMinutes(5);

    private const int Gates = 4;

    /// <summary>Each adds to what the ones before it do.</summary>
    private static readonly (string Name, Func<object[]> Metadata)[] Steps =
    [
        ("breaker", static () => [new CircuitBreakerAttribute(Layers.NeverOpens)]),
        ("bulkhead", static () => [new BulkheadAttribute(Layers.Name)]),
        ("timeout", static () => Layers.Of(static endpoint => endpoint.WithTimeout(Long))),
        ("criticality", static () => Layers.Of(static endpoint => endpoint.WithCriticality(Criticality.Sheddable))),
        ("stale-fallback", static () => Layers.Of(static endpoint => endpoint.WithStaleFallback(Long))),
    ];

    /// <summary>What an endpoint names that is behind every gate.</summary>
    public static object[] AllGates() => [.. Steps.Take(Gates).SelectMany(static step => step.Metadata())];

    /// <summary>A row for each step.</summary>
    public static IEnumerable<Comparison> Rows() => Steps.Select((step, index) => new Comparison(
        $"failing/{step.Name}", index == 0 ? "recovery alone" : $"the same without the {step.Name}", () => (Layered(index + 1), Layered(index))));

    /// <summary>A fallback that answers in place of the problem.</summary>
    public static (IOperation Ours, IOperation Peer) FallingBack() => (WithFallback(), Layered(Gates));

    /// <summary>The same fallback against an exception handler that gives the same answer in the same way: what is left is the fallback itself.</summary>
    public static (IOperation Ours, IOperation Peer) FallingBackItself()
    {
        var pipeline = Requests.Pipeline.LayeredHandling<SpareAnswer>();
        return (WithFallback(), new RequestCalls(pipeline, Endpoints.Throwing(pipeline.Services, AllGates()), StatusCodes.Status200OK));
    }

    private static RequestCalls WithFallback() => Layered(Gates, StatusCodes.Status200OK, Layers.Of(static endpoint => endpoint.WithFallback(Endpoints.Spare)));

    private static RequestCalls Layered(int steps, int status = StatusCodes.Status500InternalServerError, params object[] more)
    {
        var pipeline = Requests.Pipeline.Layered();
        return new RequestCalls(pipeline, Endpoints.Throwing(pipeline.Services, [.. Steps.Take(steps).SelectMany(static step => step.Metadata()), .. more]), status);
    }
}
