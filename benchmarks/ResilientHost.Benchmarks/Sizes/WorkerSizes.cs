using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using ResilientHost.Benchmarks.Ratios;
using ResilientHost.Benchmarks.Requests;

namespace ResilientHost.Benchmarks.Sizes;

/// <summary>Workers that wait for work, supervised, and the framework's background services that nobody supervises.</summary>
internal sealed class WorkerSizes() : SizeStudy("workers", "Background workers", "Workers that wait. Start (with registration) and stop are of all together. Nobody supervises the framework's.", "workers")
{
    private const int FewestKept = 100;
    private static readonly TimeSpan Settling = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan Watched = TimeSpan.FromSeconds(2);
    private readonly Lazy<(double Ours, double Peer)> _empty = new(static () =>
    {
        // The first starts of a process pay for the compiler.
        for (var warmUp = 0; warmUp < 3; warmUp++)
        {
            Run(100, isOurs: true);
            Run(100, isOurs: false);
        }

        return (Run(0, isOurs: true)[^1], Run(0, isOurs: false)[^1]);
    });

    public override IReadOnlyList<int> Sizes { get; } = [1, 10, 100, 1_000, 10_000];

    public override IReadOnlyList<SizeColumn> Columns { get; } =
    [
        new("ours", "at rest", "ms of CPU a second"), new("BackgroundService", "at rest", "ms of CPU a second"),
        new("ours", "start", "ms of CPU") { IsTotal = true }, new("BackgroundService", "start", "ms of CPU") { IsTotal = true },
        new("ours", "stop", "ms of CPU") { IsTotal = true }, new("BackgroundService", "stop", "ms of CPU") { IsTotal = true },
        new("ours", "memory", "B each"), new("BackgroundService", "memory", "B each"),
    ];

    public override double[] Measure(int size)
    {
        var (oursEmpty, peerEmpty) = _empty.Value;
        var ours = Run(size, isOurs: true);
        var peer = Run(size, isOurs: false);
        var (oursBytes, peerBytes) = size < FewestKept ? (double.NaN, double.NaN) : ((ours[3] - oursEmpty) / size, (peer[3] - peerEmpty) / size);
        return [ours[0], peer[0], ours[1], peer[1], ours[2], peer[2], oursBytes, peerBytes];
    }

    // At rest, start, stop, bytes.
    private static double[] Run(int size, bool isOurs)
    {
        var before = Figure.BytesInUse();
        var begin = CpuClock.ProcessNanoseconds();
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { EnvironmentName = Environments.Production });
        builder.Services.AddSingleton<IServer, NoServer>();
        builder.Services.AddRouting();
        builder.Logging.ClearProviders();
        if (isOurs)
        {
            builder.AddResilienceLayers();
        }

        for (var worker = 0; worker < size; worker++)
        {
            _ = isOurs
                ? builder.Services.AddResilientWorker($"worker-{worker}", static _ => new Waiting())
                : builder.Services.AddSingleton<IHostedService>(static _ => new WaitingService());
        }

        using var application = builder.Build();
        application.Start();
        var start = (CpuClock.ProcessNanoseconds() - begin) / 1e6;
        Thread.Sleep(Settling);
        var kept = Figure.BytesInUse() - before;
        var atRest = Figure.CpuPerSecond(Watched);
        var stop = Figure.CpuOf(() => application.StopAsync().GetAwaiter().GetResult());
        return [atRest, start, stop, kept];
    }

    private sealed class Waiting : IResilientWorker
    {
        public Task RunAsync(WorkerContext context, CancellationToken stoppingToken) => Task.Delay(Timeout.Infinite, stoppingToken);
    }

    private sealed class WaitingService : BackgroundService
    {
        protected override Task ExecuteAsync(CancellationToken stoppingToken) => Task.Delay(Timeout.Infinite, stoppingToken);
    }
}
