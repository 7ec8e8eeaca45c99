using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace ResilientHost.IntegrationTests.Dashboard;

/// <summary>The page follows what happens, by itself.</summary>
[Collection(DashboardBrowser.Collection), Trait("Category", "Browser")]
public sealed class LivePageTests(DashboardBrowser browser)
{
    private const string Configuration =
        """{ "CircuitBreakers": { "orders": { "ConsecutiveFailures": 3, "BreakDuration": "00:00:03", "BreakJitter": 0, "HalfOpenProbes": 1 } } }""";

    private static volatile bool _broken;

    [Fact]
    public async Task Circuit_OpensHalfOpensAndCloses_IsShownAsItHappens()
    {
        _broken = true;
        await using var site = await DashboardSite.StartAsync(MapOrders, Configuration);
        await using var window = await browser.OpenAsync();
        await window.ShowAsync(site);
        await Expect(window.Verdict).ToHaveTextAsync("All 1 circuit closed");
        await Expect(window.Page).ToHaveTitleAsync(new System.Text.RegularExpressions.Regex("^OK · "));
        var calm = await window.Page.GetAttributeAsync("link[rel=icon]", "href");

        await site.CallAsync("/orders", 3);
        await Expect(window.Verdict).ToHaveTextAsync("1 circuit open");
        var problem = window.Problems.First;
        await Expect(problem).ToContainTextAsync("orders");
        await Expect(problem).ToContainTextAsync("Open for");
        await Expect(problem).ToContainTextAsync("Calls are refused at once");
        await Expect(problem).ToContainTextAsync("Half-opens in");
        await Expect(window.Page).ToHaveTitleAsync(new System.Text.RegularExpressions.Regex("^1 open · "));
        (await window.Page.GetAttributeAsync("link[rel=icon]", "href")).ShouldNotBe(calm);
        await Expect(window.CircuitRow("orders")).ToHaveAttributeAsync("data-kind", "open");
        await Expect(window.Page.Locator("#strips li", new() { HasText = "orders" }).Locator("rect.t-open")).ToHaveCountAsync(1);
        await Expect(window.Page.Locator("#announce")).ToContainTextAsync("orders: Open");

        await Expect(window.Verdict).ToHaveTextAsync("1 circuit half-open");
        await Expect(problem).ToContainTextAsync("Only probes get through");
        _broken = false;
        await site.CallAsync("/orders");
        await Expect(window.Verdict).ToHaveTextAsync("All 1 circuit closed");
        await Expect(window.Problems).ToHaveCountAsync(0);
        await Expect(window.CircuitRow("orders")).ToHaveAttributeAsync("data-kind", "closed");
        await Expect(window.CircuitRow("orders").Locator(".bars .failed")).ToHaveAttributeAsync("d", new System.Text.RegularExpressions.Regex("^M"));
        await Expect(window.Page.Locator("#event-rows tr", new() { HasText = "orders" }).First).ToBeVisibleAsync();
        await window.ShouldHaveNothingToComplainOfAsync();
    }

    [Fact]
    public async Task Level_RisesAndFalls_IsShownAsItHappens()
    {
        await using var site = await DashboardSite.StartAsync();
        await using var window = await browser.OpenAsync();
        await window.ShowAsync(site);
        var level = site.Services.GetRequiredService<IServiceLevel>();
        await Expect(window.Page.Locator("#ladder [aria-current]")).ToHaveAttributeAsync("data-level", "normal");

        level.Override(ServiceLevel.Essential, TimeSpan.FromMinutes(10), "test");
        await Expect(window.Verdict).ToHaveTextAsync("Service level Essential");
        await Expect(window.Page.Locator("#ladder [aria-current]")).ToHaveAttributeAsync("data-level", "essential");
        await Expect(window.Problems.First).ToContainTextAsync("Set by hand");
        await Expect(window.Problems.First).ToContainTextAsync("Ends ");

        level.ClearOverride("test");
        await Expect(window.Page.Locator("#ladder [aria-current]")).ToHaveAttributeAsync("data-level", "normal");
        await Expect(window.Problems).ToHaveCountAsync(0);
        await window.ShouldHaveNothingToComplainOfAsync();
    }

    [Fact]
    public async Task Server_RestartsAtTheSameAddress_PageComesBack()
    {
        await using var window = await browser.OpenAsync();
        int port;
        await using (var site = await DashboardSite.StartAsync(MapOrders, Configuration))
        {
            port = site.Port;
            await window.ShowAsync(site);
        }

        await Expect(window.Connection).ToHaveAttributeAsync("data-state", "lost");
        await Expect(window.Page).ToHaveTitleAsync(new System.Text.RegularExpressions.Regex(@"^\(stale\) "));
        await using var next = await DashboardSite.StartAsync(MapOrders, Configuration, port);
        next.Circuit("orders").Isolate();
        await window.LiveAsync();
        await Expect(window.Verdict).ToHaveTextAsync("1 circuit isolated");
        (await window.Page.EvaluateAsync<string[]>("window.violations")).ShouldBeEmpty();
    }

    [Fact]
    public async Task Stream_Refused_PageAsksNowAndThen()
    {
        await using var site = await DashboardSite.StartAsync(MapOrders, $$"""{ "Dashboard": { "MaxStreams": 0 }, {{Configuration[1..]}}""");
        await using var window = await browser.OpenAsync();
        await window.Page.GotoAsync(site.Address + "/resilience");
        await Expect(window.Connection).ToHaveAttributeAsync("data-state", "polling");
        site.Circuit("orders").Isolate();
        await Expect(window.Verdict).ToHaveTextAsync("1 circuit isolated");
    }

    [Fact]
    public async Task History_NotKept_PageShowsWhatIsNow()
    {
        await using var site = await DashboardSite.StartAsync(MapOrders, $$"""{ "Dashboard": { "KeepHistory": false }, {{Configuration[1..]}}""");
        await using var window = await browser.OpenAsync();
        await window.ShowAsync(site);
        await Expect(window.Page.Locator("#golden-off")).ToBeVisibleAsync();
        site.Circuit("orders").Isolate();
        await Expect(window.Verdict).ToHaveTextAsync("1 circuit isolated");
        await window.ShouldHaveNothingToComplainOfAsync();
    }

    [Theory]
    [InlineData("/shop/resilience")]
    [InlineData("/shop/resilience/")]
    public async Task Page_BehindAPathBase_IsComplete(string path)
    {
        await using var site = await DashboardSite.StartAsync(Environments.Development, null, "{}", 0, static app => app.MapResilienceDashboard(), static app => app.UsePathBase("/shop").UseRouting());
        await using var window = await browser.OpenAsync();
        await window.ShowAsync(site, path);
        await Expect(window.Page.Locator("#charts canvas")).ToHaveCountAsync(4);
        await window.ShouldHaveNothingToComplainOfAsync();
    }

    [Fact]
    public async Task Circuits_FiveHundred_AreCappedAndStillAllThere()
    {
        var circuits = string.Join(", ", Enumerable.Range(0, 500).Select(i => $$"""
            "c{{i:000}}": { }
            """));
        await using var site = await DashboardSite.StartAsync(null, $$"""{ "CircuitBreakers": { {{circuits}} } }""");
        await using var window = await browser.OpenAsync();
        await window.ShowAsync(site);
        var rows = window.Page.Locator("#board-rows tr");
        await Expect(rows).ToHaveCountAsync(20);
        site.Circuit("c321").Isolate();
        await Expect(rows.First).ToContainTextAsync("c321");
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Show all 500 circuits" }).ClickAsync();
        await Expect(rows).ToHaveCountAsync(500);
        await window.Page.GetByRole(AriaRole.Searchbox, new() { Name = "Find a circuit" }).FillAsync("c49");
        await Expect(rows).ToHaveCountAsync(10);
        await window.ShouldHaveNothingToComplainOfAsync();
    }

    [Fact]
    public async Task Updates_MoveNothingAround()
    {
        await using var site = await DashboardSite.StartAsync(
            static app => app.MapGet("/orders", static string () => "fine").WithCircuitBreaker("orders").WithBulkhead("orders").WithFallback(static () => Results.Ok("later")),
            """{ "CircuitBreakers": { "orders": { } }, "Bulkheads": { "orders": { "MaxConcurrency": 20 } } }""");
        await using var window = await browser.OpenAsync(new() { ViewportSize = new() { Width = 1440, Height = 2400 } });
        await window.ShowAsync(site);
        await Expect(window.Page.Locator("#charts canvas")).ToHaveCountAsync(4);
        await site.CallAsync("/orders", 5);
        await Expect(window.CircuitRow("orders").Locator(".traffic")).Not.ToHaveTextAsync("0/s");
        await window.Page.EvaluateAsync(
            """
            () => {
                window.shifts = [];
                const place = rectangle => [rectangle.x, rectangle.y, rectangle.width, rectangle.height].map(Math.round).join(' ');
                const name = node => node && (node.nodeType === Node.TEXT_NODE ? node.parentElement : node);
                new PerformanceObserver(list => list.getEntries().forEach(shift => shift.sources.forEach(source =>
                    window.shifts.push(`${name(source.node)?.outerHTML.slice(0, 200)}: ${place(source.previousRect)} to ${place(source.currentRect)}`))))
                    .observe({ type: 'layout-shift' });
            }
            """);
        var before = await window.CircuitRow("orders").Locator(".bars .calls").GetAttributeAsync("d");
        for (var i = 0; i < 3; i++)
        {
            await site.CallAsync("/orders", 20);
            await Expect(window.CircuitRow("orders").Locator(".bars .calls")).Not.ToHaveAttributeAsync("d", before ?? "");
            before = await window.CircuitRow("orders").Locator(".bars .calls").GetAttributeAsync("d");
        }

        // Every figure, the widest that fits among them: no column and no neighbour gives way.
        await window.Page.EvaluateAsync("() => document.querySelectorAll('.signals td.n, .board td.n, .bulkheads td.n, .fallbacks td.n, .workers td.n, figcaption .value').forEach(figure => figure.textContent = '88.8 ms')");
        await window.Page.EvaluateAsync("() => new Promise(painted => requestAnimationFrame(() => setTimeout(painted, 100)))");
        (await window.Page.EvaluateAsync<string[]>("window.shifts")).ShouldBeEmpty();
    }

    private static void MapOrders(WebApplication app) =>
        app.MapGet("/orders", static string () => _broken ? throw new InvalidOperationException("orders") : "fine").WithCircuitBreaker("orders");
}
