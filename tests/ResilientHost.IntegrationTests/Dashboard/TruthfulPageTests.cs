using System.Text.RegularExpressions;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace ResilientHost.IntegrationTests.Dashboard;

/// <summary>The page says nothing that is not so: not of connections, not of instances, not of what is refused.</summary>
[Collection(DashboardBrowser.Collection), Trait("Category", "Browser")]
public sealed partial class TruthfulPageTests(DashboardBrowser browser)
{
    private const string Configuration =
        """{ "CircuitBreakers": { "orders": { }, "watched": { "Mode": "Shadow" }, "tenants": { "PartitionBy": "Header:X-Tenant" } }, "Bulkheads": { "orders": { "MaxConcurrency": 1 } } }""";

    private static volatile bool _signedOut;

    [Fact]
    public async Task KeyedCircuit_OpensAndCloses_TimelineFollows()
    {
        await using var site = await DashboardSite.StartAsync(null, Configuration);
        await using var window = await browser.OpenAsync();
        await window.ShowAsync(site);
        var acme = site.Circuit("tenants").Partitions.ShouldNotBeNull().Get("acme");
        var strip = window.Page.Locator("#strips li", new() { HasText = "tenants" });
        for (var times = 1; times <= 2; times++)
        {
            acme.Isolate();
            await Expect(window.Verdict).ToHaveTextAsync("1 circuit isolated");
            await Expect(strip.Locator("rect.t-isolated")).ToHaveCountAsync(times);
            acme.Reset();
            await Expect(window.Verdict).ToHaveTextAsync("All 3 circuits closed");
        }

        // What is closed is not drawn until now.
        await Expect(strip.Locator("svg")).ToHaveAttributeAsync("data-told", new Regex("^isolated 2 times, [0-9]+ s$"));
        await window.ShouldHaveNothingToComplainOfAsync();
    }

    [Fact]
    public async Task Stream_ThatDeliversNothing_PageAsksNowAndThen()
    {
        await using var site = await DashboardSite.StartAsync(null, Configuration);
        await using var window = await browser.OpenAsync();
        await window.Page.RouteAsync("**/resilience/events", static route => Task.CompletedTask);
        await window.Page.GotoAsync(site.Address + "/resilience");
        site.Circuit("orders").Isolate();
        await Expect(window.Connection).ToHaveAttributeAsync("data-state", "polling");
        await Expect(window.Verdict).ToHaveTextAsync("1 circuit isolated");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Stream_FallsSilent_IsNotShownAsLive(bool keepHistory)
    {
        await using var site = await DashboardSite.StartAsync(null, $$"""{ "Dashboard": { "KeepHistory": {{(keepHistory ? "true" : "false")}}, "Heartbeat": "00:00:01" }, {{Configuration[1..]}}""");
        await using var proxy = new StallingProxy(site.Port);
        await using var window = await browser.OpenAsync();
        await window.Page.GotoAsync(proxy.Address + "/resilience");
        await window.LiveAsync();
        await window.Page.EvaluateAsync("window.told = []; new MutationObserver(() => window.told.push(document.getElementById('connection').textContent.trim())).observe(document.getElementById('connection'), { childList: true, characterData: true, subtree: true })");
        proxy.Stall();
        site.Circuit("orders").Isolate();

        // Twelve seconds of silence; then each of the six connections that a browser keeps is found dead by a question that nobody answers for five seconds.
        await Expect(window.Verdict).ToHaveTextAsync("1 circuit isolated", new() { Timeout = 60_000 });
        await window.LiveAsync();
        (await window.Page.EvaluateAsync<string[]>("window.told"))[0].ShouldMatch("^No news for [0-9]+ s, reconnecting$");
    }

    [Fact]
    public async Task Heartbeats_KeepAQuietStreamLive()
    {
        await using var site = await DashboardSite.StartAsync(null, """{ "Dashboard": { "KeepHistory": false, "Heartbeat": "00:00:01" } }""");
        await using var window = await browser.OpenAsync();
        await window.ShowAsync(site);
        await window.Page.EvaluateAsync("window.told = []; new MutationObserver(() => window.told.push(document.getElementById('connection').dataset.state)).observe(document.getElementById('connection'), { attributes: true })");
        await window.Page.WaitForTimeoutAsync(6000);
        (await window.Page.EvaluateAsync<string[]>("window.told")).ShouldBeEmpty();
    }

    [Fact]
    public async Task History_OfAnotherInstance_IsNotMixedIn()
    {
        await using var site = await DashboardSite.StartAsync(null, Configuration);
        await using var window = await browser.OpenAsync();
        await window.Page.RouteAsync("**/resilience/history", static async route =>
        {
            var answer = await route.FetchAsync();
            await route.FulfillAsync(new() { Response = answer, Body = Instance().Replace(await answer.TextAsync(), "\"instance\":\"another\"") });
        });
        await window.ShowAsync(site);
        await Expect(window.Verdict).ToHaveTextAsync("This page: answers come from several instances");
        await Expect(window.Problems.First).ToContainTextAsync("Give each instance an address of its own");
        await Expect(window.Page.Locator("#charts canvas")).ToHaveCountAsync(0);
        await Expect(window.Page.Locator("#configuration-rows tr").First).ToBeVisibleAsync();
    }

    [Fact]
    public async Task History_SlowerThanTheStream_TakesNothingAway()
    {
        await using var site = await DashboardSite.StartAsync(null, Configuration);
        await using var window = await browser.OpenAsync();
        await window.Page.RouteAsync("**/resilience/history", async route =>
        {
            var answer = await route.FetchAsync();
            site.Circuit("orders").Isolate();
            await Expect(window.Page.Locator("#event-rows tr", new() { HasText = "orders" })).ToHaveCountAsync(1);
            await route.FulfillAsync(new() { Response = answer });
        });
        await window.ShowAsync(site);
        await Expect(window.Page.Locator("#charts canvas")).ToHaveCountAsync(4);
        await Expect(window.Page.Locator("#strips li", new() { HasText = "orders" }).Locator("rect.t-isolated")).ToHaveCountAsync(1);
        await Expect(window.Page.Locator("#event-rows tr", new() { HasText = "orders" })).ToHaveCountAsync(1);
    }

    [Fact]
    public async Task SignIn_RunsOutWithARedirect_PageSaysSo()
    {
        _signedOut = false;
        await using var site = await DashboardSite.StartAsync(
            Environments.Development,
            null,
            """{ "Dashboard": { "MaxStreams": 0 } }""",
            0,
            static app => app.MapResilienceDashboard(),
            static app => app.Use(static (context, next) =>
            {
                if (!_signedOut)
                {
                    return next(context);
                }

                context.Response.Redirect("/sign-in");
                return Task.CompletedTask;
            }));
        await using var window = await browser.OpenAsync();
        await window.Page.GotoAsync(site.Address + "/resilience");
        await Expect(window.Connection).ToHaveAttributeAsync("data-state", "polling");
        _signedOut = true;
        await Expect(window.Connection).ToHaveTextAsync("Signed out: load the page again");
        await Expect(window.Connection).ToHaveAttributeAsync("data-state", "lost");
    }

    [Fact]
    public async Task CallsThatFail_BelowTheThresholds_AreTold()
    {
        await using var site = await DashboardSite.StartAsync(MapFailing, Configuration);
        await using var window = await browser.OpenAsync();
        await window.ShowAsync(site);
        await site.CallAsync("/failing", 5);
        await Expect(window.Verdict).ToHaveTextAsync("Errors at orders");
        await Expect(window.Problems.First).ToContainTextAsync("100 % of 5 calls failed");
        await Expect(window.Problems.First).ToContainTextAsync("Nothing yet: it is closed");
        await Expect(window.Page.Locator("#top")).ToHaveAttributeAsync("data-severity", "broken");
    }

    [Fact]
    public async Task Circuit_WithoutFigures_ShowsNone()
    {
        await using var site = await DashboardSite.StartAsync(null, Configuration);
        site.Circuit("tenants").Partitions.ShouldNotBeNull().Get("acme").Isolate();
        await using var window = await browser.OpenAsync();
        await window.ShowAsync(site);
        await Expect(window.CircuitRow("tenants · acme").Locator(".traffic")).ToHaveTextAsync("–");
        await Expect(window.CircuitRow("orders").Locator(".traffic")).ToHaveTextAsync("0/s");
    }

    [Fact]
    public async Task KeyedCircuit_Reset_IsToldAsItIs()
    {
        await using var site = await DashboardSite.StartAsync(null, Configuration);
        site.Circuit("tenants").Partitions.ShouldNotBeNull().Get("acme").Isolate();
        await using var window = await browser.OpenAsync();
        await window.ShowAsync(site);
        await window.Problems.First.GetByRole(AriaRole.Button).ClickAsync();
        await window.Page.Locator("[name=action][value=reset]").CheckAsync();
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Continue" }).ClickAsync();
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Reset tenants · acme", Exact = true }).ClickAsync();
        await Expect(window.Page.Locator("#result")).ToHaveTextAsync("Done: tenants · acme is closed.");
        await Expect(window.Verdict).ToHaveTextAsync("All 3 circuits closed");
    }

    [Fact]
    public async Task Script_SaysWhatTheServerSays()
    {
        var gate = new Gate();
        await using var site = await DashboardSite.StartAsync(
            app =>
            {
                MapFailing(app);
                app.MapGet("/slow", () => gate.PassAsync()).WithBulkhead("orders");
            },
            $$"""{ "Timeouts": { "Enabled": false }, {{Configuration[1..]}}""");
        await site.CallAsync("/failing", 4);
        using var client = new HttpClient();
        var slow = client.GetAsync(new Uri(site.Address + "/slow"));
        await gate.ArrivalAsync();
        await site.CallAsync("/slow", 3);
        site.Circuit("watched").Isolate();
        site.Circuit("tenants").ForceOpen(TimeSpan.FromMinutes(10));
        site.Services.GetRequiredService<IServiceLevel>().Override(ServiceLevel.Reduced, TimeSpan.FromMinutes(10), "test");

        await using var plain = await browser.OpenAsync(new() { JavaScriptEnabled = false });
        await plain.Page.GotoAsync(site.Address + "/resilience");
        await using var live = await browser.OpenAsync();
        await live.ShowAsync(site);
        await Expect(live.Page.Locator("#charts canvas")).ToHaveCountAsync(4);
        await Expect(live.Page.Locator("#configuration-rows tr").First).ToBeVisibleAsync();
        await Expect(live.Problems).ToHaveCountAsync(await plain.Problems.CountAsync());
        (await SaidAsync(live)).ShouldBe(await SaidAsync(plain));
        gate.Open();
        (await slow).Dispose();
    }

    private static void MapFailing(WebApplication app) => app.MapGet("/failing", static string () => throw new InvalidOperationException("orders")).WithCircuitBreaker("orders");

    // Figures move between two looks.
    private static async Task<string> SaidAsync(DashboardWindow window)
    {
        var cells = await window.Page.Locator("#verdict, #problems tbody .broken b, #problems tbody .broken .detail, #problems tbody .by, #problems tbody .then").AllTextContentsAsync();
        return Figures().Replace(string.Join('\n', cells.Select(static cell => cell.Trim())), "0");
    }

    [GeneratedRegex("\"instance\":\"[^\"]*\"")]
    private static partial Regex Instance();

    [GeneratedRegex("[0-9]+( min [0-9]+)?( min| s)?\\b")]
    private static partial Regex Figures();
}
