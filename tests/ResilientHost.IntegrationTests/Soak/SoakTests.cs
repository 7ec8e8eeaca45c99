using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace ResilientHost.IntegrationTests.Soak;

/// <summary>
/// One service under a mix of everything that goes wrong, for as many minutes as <c>SOAK_MINUTES</c> says; nothing may stay behind. <c>SOAK_REPORT</c> names
/// a file for the figures.
/// </summary>
public sealed class SoakTests(ITestOutputHelper output)
{
    /// <summary>
    /// What the trend of the heap over all measured requests may come to. Pools of the server and the runtime move samples by some 200 KiB up and down and take minutes
    /// for it, whatever the length of the run. So the longer it is, the smaller the leak it sees: in 20 minutes, some 900,000 measured requests, 1.2 bytes for each of them are
    /// too much, which is one of the smallest objects there are for every twentieth request. A run of a minute sees 40 bytes for each.
    /// </summary>
    private const double HeapTolerance = 1024 * 1024;

    /// <summary>The same for threads and descriptors: idle connections and threads of the pool come and go.</summary>
    private const double CountTolerance = 24;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    private long _unobserved;

    [Fact, Trait("Category", "Soak")]
    public async Task Mix_OfEverythingThatFails_LeavesNothingBehind()
    {
        Assert.SkipUnless(
            double.TryParse(Environment.GetEnvironmentVariable("SOAK_MINUTES"), NumberStyles.Float, CultureInfo.InvariantCulture, out var minutes) && minutes > 0 && double.IsFinite(minutes),
            "A soak runs for as many minutes as the environment variable SOAK_MINUTES says, and it does not say.");

        TaskScheduler.UnobservedTaskException += CountUnobserved;
        try
        {
            await SoakAsync(TimeSpan.FromMinutes(minutes));
        }
        finally
        {
            TaskScheduler.UnobservedTaskException -= CountUnobserved;
        }
    }

    private async Task SoakAsync(TimeSpan length)
    {
        await using var service = await SoakService.StartAsync();
        using var load = new SoakLoad(service);
        using var end = new CancellationTokenSource(length);
        var clock = Stopwatch.StartNew();
        var warmUp = TimeSpan.FromSeconds(Math.Clamp(length.TotalSeconds / 4, 5, 120));
        var samples = new List<SoakSample>();
        var held = new List<string>();

        var requests = load.RunAsync(end.Token);
        var reloads = EveryAsync(TimeSpan.FromSeconds(3), () =>
        {
            service.Reload();
            return Task.CompletedTask;
        }, end.Token);
        var measurements = EveryAsync(TimeSpan.FromSeconds(Math.Clamp(length.TotalSeconds / 100, 1.5, 10)), () => load.WhileQuietAsync(async () =>
        {
            held.AddRange(await service.HeldAsync());

            // While it warms up, too: measuring and reporting have their own first time.
            var sample = SoakSample.Take(clock.Elapsed, load.Requests);
            if (clock.Elapsed > warmUp)
            {
                samples.Add(sample);
            }

            await WriteAsync(Report(service, load, clock, samples, held));
        }), end.Token);
        var degradations = EveryAsync(TimeSpan.FromSeconds(2), () =>
        {
            service.Degrade();
            return Task.CompletedTask;
        }, end.Token);
        await Task.WhenAll(requests, reloads, measurements, degradations);

        held.AddRange(await service.HeldAsync());
        (await load.IsServedAsync()).ShouldBeTrue();
        var report = Report(service, load, clock, samples, held) with { IsFinished = true };
        await WriteAsync(report);
        output.WriteLine(report.Summary());
        ShouldHaveLeftNothing(report);
    }

    private static void ShouldHaveLeftNothing(SoakReport report)
    {
        report.Unexpected.ShouldBeEmpty();
        report.Held.ShouldBeEmpty();
        foreach (var endpoint in SoakEndpoints.All)
        {
            endpoint.Must.Except(report.Answers[endpoint.Name].Keys).ShouldBeEmpty($"Never answered by {endpoint.Name}.");
        }

        report.Samples.Count.ShouldBeGreaterThanOrEqualTo(5, "The run was too short for a trend.");
        report.Heap!.Growth.ShouldBeLessThan(HeapTolerance, report.Summary());
        report.Threads!.Growth.ShouldBeLessThan(CountTolerance, report.Summary());
        report.Descriptors!.Growth.ShouldBeLessThan(CountTolerance, report.Summary());
    }

    private SoakReport Report(SoakService service, SoakLoad load, Stopwatch clock, List<SoakSample> samples, IReadOnlyCollection<string> held) => new()
    {
        Runtime = $"{RuntimeInformation.FrameworkDescription}, {RuntimeInformation.OSDescription}, {Environment.ProcessorCount} processors",
        Minutes = clock.Elapsed.TotalMinutes,
        Requests = load.Requests,
        MeasuredRequests = samples.Count == 0 ? 0 : samples[^1].Requests - samples[0].Requests,
        Reloads = service.Reloads,
        Collections = GC.CollectionCount(0),
        CollectionPauseSeconds = GC.GetTotalPauseDuration().TotalSeconds,
        UnobservedExceptions = Interlocked.Read(ref _unobserved),
        Heap = TrendOf(samples, static sample => sample.HeapBytes),
        WorkingSet = TrendOf(samples, static sample => sample.WorkingSetBytes),
        Threads = TrendOf(samples, static sample => sample.Threads),
        Descriptors = TrendOf(samples, static sample => sample.Descriptors),
        Held = held,
        Unexpected = load.Unexpected,
        Logged = service.Logged.OrderBy(static pair => pair.Key).ToDictionary(static pair => pair.Key.ToString(), static pair => pair.Value),
        Answers = load.Answers.GroupBy(static pair => pair.Key.Endpoint).OrderBy(static group => group.Key, StringComparer.Ordinal).ToDictionary(
            static group => group.Key,
            static group => new SortedDictionary<string, long>(group.ToDictionary(static pair => pair.Key.Answer, static pair => pair.Value), StringComparer.Ordinal)),
        Samples = samples,
    };

    private static SoakTrend? TrendOf(List<SoakSample> samples, Func<SoakSample, double> figure) => samples.Count == 0 ? null : SoakTrend.Of(samples, figure);

    private static async Task WriteAsync(SoakReport report)
    {
        if (Environment.GetEnvironmentVariable("SOAK_REPORT") is { Length: > 0 } file)
        {
            // Through small buffers: whole, the report would leave ever larger ones in the shared pool, on the heap that it tells of.
            await using var stream = File.Create(file);
            await JsonSerializer.SerializeAsync(stream, report, Json);
        }
    }

    private static async Task EveryAsync(TimeSpan period, Func<Task> act, CancellationToken end)
    {
        using var timer = new PeriodicTimer(period);
        try
        {
            while (await timer.WaitForNextTickAsync(end))
            {
                await act();
            }
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            // The soak is over.
        }
    }

    private void CountUnobserved(object? sender, UnobservedTaskExceptionEventArgs error) => Interlocked.Increment(ref _unobserved);
}
