using System.Globalization;
using System.Text.Json;
using ResilientHost.Benchmarks.Http;

namespace ResilientHost.Benchmarks.Soak;

/// <summary>What a soak has seen.</summary>
/// <param name="Samples">A sample of every second, of the warm service.</param>
/// <param name="Contentions">Whose locks its threads waited for in that time.</param>
/// <param name="Bursts">Each kind of request without a pause; none where there is no wrk.</param>
/// <param name="BurstContentions">Whose locks its threads waited for then.</param>
/// <param name="Answers">What the clients were answered.</param>
/// <param name="Verdicts">The figures that have bounds.</param>
internal sealed record SoakRun(
    IReadOnlyList<SoakSample> Samples, IReadOnlyList<ContentionSource> Contentions, IReadOnlyList<SoakBurst> Bursts, IReadOnlyList<ContentionSource> BurstContentions, IReadOnlyList<SoakAnswers> Answers, IReadOnlyList<SoakVerdict> Verdicts)
{
    private const int FewestSamples = 6;

    // By then the compiler is through, and pools and caches have what they keep.
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(20);

    /// <exception cref="InvalidOperationException">The service ended, or wrote no samples.</exception>
    public static async Task<SoakRun> MeasureAsync(TimeSpan duration, int perSecond, CancellationToken cancellationToken)
    {
        using var dependency = await ServerProcess.StartAsync([SoakDependency.Command], cancellationToken);
        using var service = await ServerProcess.StartAsync([SoakService.Command, dependency.Address.AbsoluteUri], cancellationToken);
        using (var first = new SoakClients(service.Address, perSecond))
        {
            var warmUp = ReadAsync(service, WarmUp, cancellationToken);
            await first.RunAsync(WarmUp, cancellationToken);
            await warmUp;
        }

        using var clients = new SoakClients(service.Address, perSecond);
        using var trace = new ContentionTrace(service.Id);
        var reading = ReadAsync(service, duration, cancellationToken);
        await clients.RunAsync(duration, cancellationToken);
        var samples = await reading;
        var contentions = await trace.EndAsync(cancellationToken);
        var (bursts, inBursts) = Wrk.IsInstalled ? await SoakBurst.MeasureAsync(service, cancellationToken) : ([], []);
        return samples.Count < FewestSamples
            ? throw new InvalidOperationException($"{samples.Count.ToString(CultureInfo.InvariantCulture)} samples are too few to say anything.")
            : new SoakRun(samples, ContentionSource.Of(contentions), bursts, ContentionSource.Of(inBursts), clients.Answers, SoakVerdict.Of(samples, contentions, bursts, clients));
    }

    // As many seconds' samples as it lasts; they begin at zero.
    private static async Task<List<SoakSample>> ReadAsync(ServerProcess service, TimeSpan duration, CancellationToken cancellationToken)
    {
        List<SoakSample> samples = [];
        var start = 0.0;
        do
        {
            var line = await service.Output.ReadLineAsync(cancellationToken) ?? throw new InvalidOperationException("The service has ended while it was soaked.");
            var sample = JsonSerializer.Deserialize<SoakSample>(line)!;
            start = samples.Count == 0 ? sample.Seconds : start;
            samples.Add(sample with { Seconds = sample.Seconds - start });
        }
        while (samples[^1].Seconds < duration.TotalSeconds - 1.5);

        return samples;
    }
}
