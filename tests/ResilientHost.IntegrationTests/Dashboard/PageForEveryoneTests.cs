using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace ResilientHost.IntegrationTests.Dashboard;

/// <summary>The page with other eyes: without scripts, with assistive technology, on a phone, in the dark.</summary>
[Collection(DashboardBrowser.Collection), Trait("Category", "Browser")]
public sealed class PageForEveryoneTests(DashboardBrowser browser)
{
    private const string Configuration =
        """{ "CircuitBreakers": { "orders": { "ConsecutiveFailures": 1, "BreakDuration": "00:01:00" }, "legacy": { }, "watched": { "Mode": "Shadow" } }, "Bulkheads": { "orders": { "MaxConcurrency": 7 } } }""";

    [Fact]
    public async Task Page_WithoutScripts_IsReadable()
    {
        await using var site = await StartFailingAsync();
        await using var window = await browser.OpenAsync(new() { JavaScriptEnabled = false });
        await window.Page.GotoAsync(site.Address + "/resilience");
        await Expect(window.Verdict).ToContainTextAsync("1 circuit open, 1 isolated");
        await Expect(window.Problems).ToHaveCountAsync(3);
        await Expect(window.Problems.First).ToContainTextAsync("Calls are refused at once");
        await Expect(window.CircuitRow("orders")).ToContainTextAsync("0 / 7");
        await Expect(window.Page.Locator("#ladder [aria-current]")).ToHaveTextAsync("ReducedSheddable endpoints are turned down");
        await Expect(window.Page.GetByText("JavaScript is off")).ToBeVisibleAsync();
        await Expect(window.Page.Locator("#golden")).ToBeHiddenAsync();
        await Expect(window.Page.GetByRole(AriaRole.Button)).ToHaveCountAsync(0);
    }

    [Theory]
    [InlineData(ColorScheme.Light, 1440)]
    [InlineData(ColorScheme.Dark, 1440)]
    [InlineData(ColorScheme.Light, 390)]
    [InlineData(ColorScheme.Dark, 390)]
    public async Task Page_OfAFailingService_IsAccessible(ColorScheme scheme, int width)
    {
        ChromiumInstallation.SkipIfAxeMissing();
        await using var site = await StartFailingAsync();
        await using var window = await browser.OpenAsync(new() { ColorScheme = scheme, ViewportSize = new() { Width = width, Height = 900 }, BypassCSP = true });
        await window.ShowAsync(site);
        await Expect(window.Problems).ToHaveCountAsync(3);
        await Expect(window.Page.Locator("#charts canvas")).ToHaveCountAsync(4);
        await ShouldBeAccessibleAsync(window);
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Operate", Exact = true }).First.ClickAsync();
        await Expect(window.Page.GetByRole(AriaRole.Dialog)).ToBeVisibleAsync();
        await ShouldBeAccessibleAsync(window);
    }

    [Theory]
    [InlineData(390)]
    [InlineData(820)]
    [InlineData(1440)]
    public async Task Page_AtAnyWidth_NeedsNoScrollingAside(int width)
    {
        await using var site = await StartFailingAsync();
        await using var window = await browser.OpenAsync(new() { ViewportSize = new() { Width = width, Height = 900 } });
        await window.ShowAsync(site);
        await Expect(window.Page.Locator("#charts canvas")).ToHaveCountAsync(4);
        (await window.Page.EvaluateAsync<int>("document.documentElement.scrollWidth - innerWidth")).ShouldBeLessThanOrEqualTo(0);
        await window.ShouldHaveNothingToComplainOfAsync();
    }

    [Fact]
    public async Task Theme_Chosen_IsKept()
    {
        await using var site = await DashboardSite.StartAsync();
        await using var window = await browser.OpenAsync(new() { ColorScheme = ColorScheme.Dark });
        await window.ShowAsync(site);
        var theme = window.Page.GetByRole(AriaRole.Button, new() { Name = "Theme" });
        await Expect(theme).ToHaveTextAsync("Theme: auto");
        await theme.ClickAsync();
        await Expect(theme).ToHaveTextAsync("Theme: light");
        await window.ShowAsync(site);
        await Expect(theme).ToHaveTextAsync("Theme: light");
        (await window.Page.EvaluateAsync<string>("getComputedStyle(document.documentElement).colorScheme")).ShouldBe("light");
        await window.ShouldHaveNothingToComplainOfAsync();
    }

    [Fact]
    public async Task Configuration_IsListedAndFiltered()
    {
        await using var site = await StartFailingAsync();
        await using var window = await browser.OpenAsync();
        await window.ShowAsync(site);
        var rows = window.Page.Locator("#configuration-rows tr");
        await Expect(rows.Filter(new() { HasText = "CircuitBreakers:orders:ConsecutiveFailures" })).ToContainTextAsync("1");
        await window.Page.GetByRole(AriaRole.Searchbox, new() { Name = "Filter the configuration" }).FillAsync("MaxConcurrency");
        await Expect(rows.First).ToContainTextAsync("MaxConcurrency");
        await Expect(rows.Filter(new() { HasText = "ConsecutiveFailures" })).ToHaveCountAsync(0);
        await window.ShouldHaveNothingToComplainOfAsync();
    }

    private static async Task<DashboardSite> StartFailingAsync()
    {
        var site = await DashboardSite.StartAsync(
            static app => app.MapGet("/orders", static string () => throw new InvalidOperationException("orders")).WithCircuitBreaker("orders").WithBulkhead("orders"),
            Configuration);
        await site.CallAsync("/orders");
        site.Circuit("legacy").Isolate();
        site.Services.GetRequiredService<IServiceLevel>().Override(ServiceLevel.Reduced, TimeSpan.FromMinutes(10), "test");
        return site;
    }

    private static async Task ShouldBeAccessibleAsync(DashboardWindow window)
    {
        await window.Page.AddScriptTagAsync(new() { Path = ChromiumInstallation.Axe });
        var violations = await window.Page.EvaluateAsync<string[]>(
            """
            async () => (await axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })).violations
                .map(v => `${v.id}: ${v.help} ${v.nodes.map(n => n.target + ' ' + n.failureSummary).join(' | ')}`)
            """);
        violations.ShouldBeEmpty();
    }
}
