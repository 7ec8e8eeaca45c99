using System.Diagnostics;

namespace ResilientHost.IntegrationTests.IsolatedTasks;

/// <summary>Ten thousand tasks that fail at once, beside live requests.</summary>
public sealed class IsolatedTaskBurstTests(ITestOutputHelper output)
{
    private const int Tasks = 10_000;
    private const int Requests = 400;
    private const int Rounds = 5;

    // Noise of a shared machine that runs other tests beside; a pool that ten thousand items block costs a request more than that.
    private static readonly TimeSpan Noise = TimeSpan.FromMilliseconds(250);

    [Fact]
    public async Task Run_TenThousandFailAtOnce_RequestsDoNotNotice()
    {
        await using var service = await TestService.StartAsync(new TestServiceSetup
        {
            Endpoints = app => app.MapGet("/", () => "hello"),
            Configuration = """{ "IsolatedTasks": { "MaxTasksPerName": 10000 } }""",
            MapsStatus = false,

            // What the server tells of each request would push the tasks' entries out of the recorder.
            Builder = builder => builder.Logging.AddFilter("Microsoft", LogLevel.Warning),
        });
        var tasks = service.Services.GetRequiredService<IIsolatedTasks>();
        await MeasureAsync(service);
        var (calm, stormy) = (new List<TimeSpan>(), new List<TimeSpan>());
        for (var round = 0; round < Rounds; round++)
        {
            calm.AddRange(await MeasureAsync(service));
            var burst = new Task<CallOutcome>[Tasks];
            var requests = Task.Run(() => MeasureAsync(service));
            for (var i = 0; i < Tasks; i++)
            {
                burst[i] = tasks.Run("burst", static async _ =>
                {
                    await Task.Yield();
                    throw new InvalidOperationException("at once");
                });
            }

            stormy.AddRange(await requests);
            (await Task.WhenAll(burst)).ShouldAllBe(outcome => outcome == CallOutcome.Failed);
        }

        var (before, during) = (Percentile99(calm), Percentile99(stormy));
        output.WriteLine($"p99 of requests: {before.TotalMilliseconds:0.00} ms without, {during.TotalMilliseconds:0.00} ms with {Tasks} failing tasks.");
        during.ShouldBeLessThan((before * 5) + Noise);
        service.Logs.Entries.Count(entry => entry.EventId.Id == 2400).ShouldBeInRange(1, Rounds * 3, "a storm is summed up");
    }

    private static async Task<List<TimeSpan>> MeasureAsync(TestService service)
    {
        List<TimeSpan> durations = [];
        for (var i = 0; i < Requests; i++)
        {
            var from = Stopwatch.GetTimestamp();
            (await service.StatusOfAsync("/")).ShouldBe(200);
            durations.Add(Stopwatch.GetElapsedTime(from));
        }

        return durations;
    }

    private static TimeSpan Percentile99(List<TimeSpan> durations) => durations.Order().ElementAt(durations.Count * 99 / 100);
}
