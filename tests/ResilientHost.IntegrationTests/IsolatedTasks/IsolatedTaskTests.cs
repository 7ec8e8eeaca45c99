namespace ResilientHost.IntegrationTests.IsolatedTasks;

public sealed class IsolatedTaskTests
{
    [Fact]
    public async Task Run_RequestIsLongOver_TasksEntriesStillTellItsScopes()
    {
        var gate = new Gate();
        var task = new TaskCompletionSource<Task<CallOutcome>>();
        await using var service = await StartAsync(app =>
        {
            app.MapGet("/start", (IIsolatedTasks tasks, ILogger<IsolatedTaskTests> logger) => task.SetResult(tasks.Run("mail", async token =>
            {
                await gate.PassAsync(token);
                logger.LogInformation("inside");
            })));
            app.MapGet("/another", () => "hello");
        });
        (await service.StatusOfAsync("/start")).ShouldBe(200);

        // The same connection: the server gives the context of the first request to the second.
        (await service.StatusOfAsync("/another")).ShouldBe(200);
        gate.Open();
        (await (await task.Task)).ShouldBe(CallOutcome.Succeeded);

        var entry = service.Logs.Entries.Single(entry => entry.Message == "inside");
        (entry.ValueOf("RequestPath"), entry.ValueOf("IsolatedTask")).ShouldBe(("/start", "mail"));
        entry.ValueOf("RequestId").ShouldBeOfType<string>().ShouldNotBeEmpty();
    }

    [Fact]
    public async Task Run_WorkFails_RequestAndHostDoNotNotice()
    {
        await using var service = await StartAsync(app => app.MapGet("/start", (IIsolatedTasks tasks) => { _ = tasks.Run("mail", static _ => throw new InvalidOperationException("no mail server")); }));

        (await service.StatusOfAsync("/start")).ShouldBe(200);
        var entry = await service.OneLogAboutAsync("no mail server");
        entry.Message.ShouldStartWith("Isolated task 'mail' failed with System.InvalidOperationException");
        (await service.StatusOfAsync("/start")).ShouldBe(200);
    }

    [Fact]
    public async Task Run_Full_RequestIsRefusedClearly()
    {
        var gate = new Gate();
        await using var service = await StartAsync(
            app => app.MapGet("/start", (IIsolatedTasks tasks) => { _ = tasks.Run("mail", gate.PassAsync); }),
            """{ "IsolatedTasks": { "MaxTasksPerName": 1 } }""");
        (await service.StatusOfAsync("/start")).ShouldBe(200);
        await gate.ArrivalAsync();

        (await service.StatusOfAsync("/start")).ShouldBe(503);
        gate.Open();
        await TestService.EventuallyAsync(async () => await service.StatusOfAsync("/start") == 200, "room again");
    }

    [Fact]
    public async Task Stop_RequestInFlightStartsATask_BothEnd()
    {
        var gate = new Gate();
        var ended = new TaskCompletionSource<Task<CallOutcome>>();
        await using var service = await StartAsync(app => app.MapGet("/start", async (IIsolatedTasks tasks) =>
        {
            await gate.PassAsync();
            ended.SetResult(tasks.Run("mail", static async _ => await Task.Yield()));
        }));
        var request = service.StatusOfAsync("/start");
        await gate.ArrivalAsync();
        var stop = service.Services.GetServices<IHost>().Single().StopAsync();
        await TestService.EventuallyAsync(
            () => Task.FromResult(service.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping.IsCancellationRequested), "stopping");
        gate.Open();
        await stop;

        (await request).ShouldBe(200);
        (await (await ended.Task)).ShouldBe(CallOutcome.Succeeded);
    }

    [Fact]
    public async Task Stop_TaskDoesNotEnd_IsNamed()
    {
        var gate = new Gate();
        await using var service = await StartAsync(
            app => app.MapGet("/start", (IIsolatedTasks tasks) => { _ = tasks.Run("mail", _ => gate.PassAsync(CancellationToken.None)); }),
            """{ "IsolatedTasks": { "DrainTimeout": "00:00:00.200" } }""");
        (await service.StatusOfAsync("/start")).ShouldBe(200);
        await gate.ArrivalAsync();
        await service.Services.GetServices<IHost>().Single().StopAsync();

        service.Logs.Entries.Single(entry => entry.EventId.Id == 2410).Message.ShouldContain("mail ×1 (oldest ");
        gate.Open();
    }

    [Fact]
    public async Task Start_BoundsAreWrong_TellsThem() =>
        (await TestService.FailToStartAsync(new() { Configuration = """{ "IsolatedTasks": { "MaxTasks": 0 } }""" }))
            .ShouldContain("Resilience:IsolatedTasks:MaxTasks must be from 1 to 1000000 (tasks), but is 0.");

    [Fact]
    public async Task Leak_OfRequests_IsToldByStatusAndLog()
    {
        var gate = new Gate();
        await using var service = await StartAsync(
            app => app.MapGet("/start", (IIsolatedTasks tasks) => { _ = tasks.Run("mail", _ => gate.PassAsync(CancellationToken.None)); }),
            """{ "IsolatedTasks": { "LeakWindow": "00:00:01", "LeakThreshold": 5 } }""");
        await TestService.EventuallyAsync(
            async () =>
            {
                (await service.StatusOfAsync("/start")).ShouldBe(200);
                return service.Logs.Entries.Any(entry => entry.EventId.Id == 2406);
            },
            "a leak told");

        service.Logs.Entries.Count(entry => entry.EventId.Id == 2406).ShouldBe(1);
        service.Logs.Entries.Single(entry => entry.EventId.Id == 2406).Message.ShouldContain("started at IsolatedTaskTests.cs:");
        gate.Open();
        await service.Logs.WaitForAsync(entry => entry.EventId.Id == 2407, TestService.Patience);
    }

    private static Task<TestService> StartAsync(Action<WebApplication> endpoints, string configuration = "{}") =>
        TestService.StartAsync(new TestServiceSetup { Endpoints = endpoints, Configuration = configuration, MapsStatus = false });
}
