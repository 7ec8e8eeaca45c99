using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Patterns;
using ResilientHost.Benchmarks.Ratios;
using ResilientHost.Benchmarks.Requests;

namespace ResilientHost.Benchmarks.Sizes;

/// <summary>Endpoints of one application, each with a circuit of its own, as every endpoint has.</summary>
internal sealed class EndpointSizes() : SizeStudy("endpoints", "Endpoints", "A request to each in turn, what the layers keep of each, and the CPU time of all from nothing to the first answer.", "endpoints")
{
    private const int FewestKept = 100;
    private bool _isWarm;

    public override IReadOnlyList<int> Sizes { get; } = [1, 10, 100, 1_000, 10_000];

    public override IReadOnlyList<SizeColumn> Columns { get; } =
    [
        new("all layers", "request", "ns"), new("bare", "request", "ns"), new("all layers", "memory", "B each"),
        new("all layers", "to the first answer", "ms of CPU") { IsTotal = true }, new("bare", "to the first answer", "ms of CPU") { IsTotal = true },
    ];

    public override double[] Measure(int size)
    {
        using RoundOfRequests ours = new(Requests.Pipeline.Layered(), Make(size));
        using RoundOfRequests bare = new(Requests.Pipeline.Bare(), Make(size));
        var before = Figure.BytesInUse();
        ours.Run(size);
        var bytes = (Figure.BytesInUse() - before) / (double)size;
        if (!_isWarm)
        {
            Figure.WarmUp(ours, bare);
            StartedApplication.Measure(10, isLayered: true);
            StartedApplication.Measure(10, isLayered: false);
            _isWarm = true;
        }

        var times = Figure.NanosecondsPerCall(size, ours, bare);
        return [.. times, size < FewestKept ? double.NaN : bytes, Start(size, isLayered: true), Start(size, isLayered: false)];
    }

    private static double Start(int size, bool isLayered) =>
        Figure.Median([.. Enumerable.Range(0, size > 1_000 ? 1 : 5).Select(_ => StartedApplication.Measure(size, isLayered))]);

    private static Endpoint[] Make(int size) =>
    [
        .. Enumerable.Range(0, size).Select(static number => new RouteEndpoint(
            StartedApplication.Answer, RoutePatternFactory.Parse($"/items{number}/{{id}}"), order: 0, new EndpointMetadataCollection(new HttpMethodMetadata(["GET"])), $"HTTP: GET /items{number}/{{id}}")),
    ];

    private sealed class RoundOfRequests(Requests.Pipeline pipeline, Endpoint[] endpoints) : IOperation, IDisposable
    {
        private readonly InMemoryServer _server = new(pipeline.Services);
        private int _next;

        public void Run(int count)
        {
            for (var request = 0; request < count; request++)
            {
                pipeline.Invoke(_server.Begin(endpoints[_next])).GetAwaiter().GetResult();
                _server.End();
                _next = _next + 1 == endpoints.Length ? 0 : _next + 1;
            }
        }

        public void Dispose() => pipeline.Dispose();
    }
}
