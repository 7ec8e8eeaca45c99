using System.Net;
using Microsoft.Extensions.Configuration;
using ResilientHost.Outbound;
using ResilientHost.Testing;

namespace ResilientHost.IntegrationTests.Outbound;

/// <summary>A hundred thousand calls on real sockets, of every kind of end: what they took is given back.</summary>
[Collection(nameof(LeakTests))]
[CollectionDefinition(nameof(LeakTests), DisableParallelization = true)]
public sealed class LeakTests(ITestOutputHelper output)
{
    private const int Calls = 100_000;
    private const int Callers = 16;
    private const int WarmUp = 5_000;

    [Fact]
    [Trait("Category", "Slow")]
    public async Task HundredThousandCalls_LeaveNothingBehind()
    {
        await using var upstream = await ScriptedServer.StartAsync(new() { MaxRecordedRequests = 1 });
        upstream.On("GET", "/good").Replies(ScriptedReply.Text("good"));
        upstream.On("GET", "/flaky").RepliesInCycle([.. Enumerable.Repeat(ScriptedReply.Text("good"), 19), ScriptedReply.Status(503)]);
        upstream.On("GET", "/broken").RepliesInCycle([.. Enumerable.Repeat(ScriptedReply.Text("good"), 99), ScriptedReply.Reset()]);
        upstream.On("POST", "/body").Replies(ScriptedReply.Status(204));
        var services = new ServiceCollection();
        services.AddResilienceLayers(new ConfigurationBuilder().Build());
        services.AddHttpClient("pricing", client => client.BaseAddress = upstream.Address).RemoveAllLoggers().AddResilienceLayers(configure: client =>
        {
            client.Retry.Delay = TimeSpan.Zero;
            client.Retry.Budget = 1;
        });
        await using var provider = services.BuildServiceProvider();
        using var http = provider.GetRequiredService<IHttpClientFactory>().CreateClient("pricing");

        // A client gives its handlers a token of each call's own. Without one they get the caller's, and what they leave registered with it would stay.
        using var handlers = new HttpMessageInvoker(provider.GetRequiredService<IHttpMessageHandlerFactory>().CreateHandler("pricing"), disposeHandler: false);

        // One token for all, as a service's stopping token is: what stays registered with it stays for ever.
        using var stopping = new CancellationTokenSource();
        await RunAsync(WarmUp);
        var (memory, descriptors, timers) = Measure();

        await RunAsync(Calls);

        var (memoryAfter, descriptorsAfter, timersAfter) = Measure();
        output.WriteLine($"memory {memory:N0} → {memoryAfter:N0} B, descriptors {descriptors} → {descriptorsAfter}, timers {timers} → {timersAfter}");
        (memoryAfter - memory).ShouldBeLessThan(4 * 1024 * 1024, "40 B for each call would be noticed");
        (descriptorsAfter - descriptors).ShouldBeLessThanOrEqualTo(2 * Callers);
        (timersAfter - timers).ShouldBeLessThan(100);
        var authority = provider.GetRequiredService<OutboundClients>().GetOrAdd("pricing").Authorities().ShouldHaveSingleItem();
        authority.Bulkhead.Snapshot().ShouldSatisfyAllConditions(bulkhead => bulkhead.InFlight.ShouldBe(0), bulkhead => bulkhead.Queued.ShouldBe(0));
        authority.CircuitBreaker.State.ShouldBe(CircuitState.Closed);

        Task RunAsync(int calls) => Task.WhenAll(Enumerable.Range(0, Callers).Select(caller => Task.Run(() => CallAsync(http, handlers, calls / Callers, caller, stopping.Token))));
    }

    private static async Task CallAsync(HttpClient http, HttpMessageInvoker handlers, int calls, int caller, CancellationToken stopping)
    {
        for (var call = 0; call < calls; call++)
        {
            try
            {
                switch ((call + caller) % 10)
                {
                    case 0:
                        using (var content = new StringContent("body"))
                        using (var response = await http.PostAsync("/body", content, stopping))
                        {
                            response.StatusCode.ShouldBe(HttpStatusCode.NoContent);
                        }

                        break;
                    case 1:
                        (await http.GetStringAsync("/flaky", stopping)).ShouldBe("good");
                        break;
                    case 2:
                        (await http.GetStringAsync("/broken", stopping)).ShouldBe("good");
                        break;
                    case 3:
                        using (var own = CancellationTokenSource.CreateLinkedTokenSource(stopping))
                        {
                            var sending = http.GetStringAsync("/good", own.Token);
                            await own.CancelAsync();
                            await sending;
                        }

                        break;
                    default:
                        using (var request = new HttpRequestMessage(HttpMethod.Get, new Uri(http.BaseAddress!, "/good")))
                        using (var response = await handlers.SendAsync(request, stopping))
                        {
                            (await response.Content.ReadAsStringAsync(stopping)).ShouldBe("good");
                        }

                        break;
                }
            }
            catch (OperationCanceledException)
            {
                // Case 3, where it was in time.
            }
            catch (HttpRequestException)
            {
                // Where the second attempt fails, too.
            }
        }
    }

    private static (long Memory, int Descriptors, long Timers) Measure()
    {
        for (var i = 0; i < 3; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        return (GC.GetTotalMemory(forceFullCollection: true), OperatingSystem.IsLinux() ? Directory.GetFiles("/proc/self/fd").Length : 0, Timer.ActiveCount);
    }
}
