using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace ResilientHost.IntegrationTests.Dashboard;

/// <summary>What the page lets people do, and whom.</summary>
[Collection(DashboardBrowser.Collection), Trait("Category", "Browser")]
public sealed class OperatePageTests(DashboardBrowser browser)
{
    private const string Hostile = "<img src=x onerror=\"document.title='owned'\">";
    private const string Configuration = """{ "CircuitBreakers": { "orders/paid": { } } }""";

    [Theory]
    [InlineData("Isolate", "isolated", CircuitState.Isolated)]
    [InlineData("Force open", "open", CircuitState.Open)]
    public async Task Operator_ChangesACircuitAndBack(string action, string told, CircuitState expected)
    {
        await using var site = await DashboardSite.StartProtectedAsync(null, Configuration);
        await using var window = await OpenAsync(DashboardSite.Operator);
        await window.ShowAsync(site);
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Operate orders/paid" }).ClickAsync();
        await ChooseAsync(window, action);
        await Expect(window.Page.Locator("#operate-effect")).ToContainTextAsync("Every call to orders/paid on ");
        site.Circuit("orders/paid").State.ShouldBe(CircuitState.Closed, "Nothing happens before it is confirmed.");
        await window.Page.GetByRole(AriaRole.Button, new() { Name = $"{action} orders/paid", Exact = true }).ClickAsync();
        await Expect(window.Page.Locator("#result")).ToHaveTextAsync($"Done: orders/paid is {told}.");
        site.Circuit("orders/paid").State.ShouldBe(expected);
        await Expect(window.Verdict).ToHaveTextAsync($"1 circuit {told}");

        await window.Problems.First.GetByRole(AriaRole.Button).ClickAsync();
        await ChooseAsync(window, "Reset");
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Reset orders/paid", Exact = true }).ClickAsync();
        await Expect(window.Page.Locator("#result")).ToHaveTextAsync("Done: orders/paid is closed.");
        site.Circuit("orders/paid").State.ShouldBe(CircuitState.Closed);
        await window.ShouldHaveNothingToComplainOfAsync();
    }

    [Fact]
    public async Task Operator_SetsTheLevelAndGivesItBack()
    {
        await using var site = await DashboardSite.StartProtectedAsync();
        var level = site.Services.GetRequiredService<IServiceLevel>();
        await using var window = await OpenAsync(DashboardSite.Operator);
        await window.ShowAsync(site);
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Operate", Exact = true }).ClickAsync();
        await window.Page.GetByLabel("What", new() { Exact = true }).SelectOptionAsync("level");
        await window.Page.GetByLabel("For", new() { Exact = true }).SelectOptionAsync("00:05:00");
        await ChooseAsync(window, "Survival");
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Set Survival" }).ClickAsync();
        await Expect(window.Page.Locator("#result")).ToContainTextAsync("service level Survival, set by hand");
        level.Current.ShouldBe(ServiceLevel.Survival);
        level.Snapshot().OverriddenUntil.ShouldNotBeNull().ShouldBeLessThan(DateTimeOffset.UtcNow.AddMinutes(6));

        await window.Problems.First.GetByRole(AriaRole.Button).ClickAsync();
        await ChooseAsync(window, "Give back");
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Give the level back" }).ClickAsync();
        await Expect(window.Page.Locator("#result")).ToContainTextAsync("service level Normal");
        level.Snapshot().IsOverridden.ShouldBeFalse();
        await window.ShouldHaveNothingToComplainOfAsync();
    }

    [Fact]
    public async Task Viewer_IsOfferedNothing_AndCanDoNothing()
    {
        await using var site = await DashboardSite.StartProtectedAsync(null, Configuration);
        await using var window = await OpenAsync(DashboardSite.Viewer);
        await window.ShowAsync(site);
        site.Circuit("orders/paid").Isolate();
        await Expect(window.Problems).ToHaveCountAsync(1);
        await Expect(window.Page.GetByRole(AriaRole.Button, new() { Name = "Operate" })).ToHaveCountAsync(0);
        var status = await window.Page.EvaluateAsync<int>(
            """() => fetch('resilience/circuit-breakers/reset', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{"name":"orders/paid"}' }).then(r => r.status)""");
        status.ShouldBe(403);
        site.Circuit("orders/paid").State.ShouldBe(CircuitState.Isolated);
    }

    [Fact]
    public async Task Operation_Refused_IsToldAndChangesNothing()
    {
        await using var site = await DashboardSite.StartProtectedAsync(null, Configuration);
        await using var window = await OpenAsync(DashboardSite.Operator);
        await window.ShowAsync(site);
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Operate orders/paid" }).ClickAsync();
        await ChooseAsync(window, "Isolate");

        // The right is lost while the page is open.
        await window.Context.SetExtraHTTPHeadersAsync([new("Authorization", DashboardSite.Viewer)]);
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Isolate orders/paid" }).ClickAsync();
        await Expect(window.Page.Locator("#operate-problem")).ToHaveTextAsync("The service refused it: you may not operate it (any more), or a proxy between does not pass the Host on.");
        site.Circuit("orders/paid").State.ShouldBe(CircuitState.Closed);
    }

    [Fact]
    public async Task Keyboard_AloneReachesAndOperates()
    {
        await using var site = await DashboardSite.StartAsync(null, Configuration);
        await using var window = await browser.OpenAsync();
        await window.ShowAsync(site);
        var keys = window.Page.Keyboard;
        await keys.PressAsync("Tab");
        await Expect(window.Page.GetByRole(AriaRole.Link, new() { Name = "Skip to what is broken" })).ToBeFocusedAsync();
        await keys.PressAsync("Enter");
        await Expect(window.Verdict).ToBeFocusedAsync();

        var operate = window.Page.GetByRole(AriaRole.Button, new() { Name = "Operate orders/paid" });
        await operate.FocusAsync();
        await keys.PressAsync("Enter");
        var dialog = window.Page.GetByRole(AriaRole.Dialog);
        await Expect(dialog).ToBeVisibleAsync();
        await keys.PressAsync("Escape");
        await Expect(dialog).ToBeHiddenAsync();
        await Expect(operate).ToBeFocusedAsync();

        await keys.PressAsync("Enter");
        await window.Page.GetByRole(AriaRole.Radio, new() { Name = "Isolate" }).FocusAsync();
        await keys.PressAsync("Enter");
        await Expect(window.Page.Locator("#operate-effect")).ToBeFocusedAsync();
        await keys.PressAsync("Enter");
        site.Circuit("orders/paid").State.ShouldBe(CircuitState.Closed, "A second press of the key confirms nothing.");
        foreach (var button in new[] { "Cancel", "Back", "Isolate orders/paid" })
        {
            await keys.PressAsync("Tab");
            await Expect(window.Page.GetByRole(AriaRole.Button, new() { Name = button, Exact = true })).ToBeFocusedAsync();
        }

        await keys.PressAsync("Enter");
        await Expect(window.Page.Locator("#result")).ToHaveTextAsync("Done: orders/paid is isolated.");
    }

    [Fact]
    public async Task Name_ThatIsMarkup_StaysText()
    {
        await using var site = await DashboardSite.StartAsync(
            static app => app.MapGet("/orders", static string () => throw new InvalidOperationException("orders")).WithCircuitBreaker(Hostile),
            $$"""{ "CircuitBreakers": { {{JsonSerializer.Serialize(Hostile)}}: { "ConsecutiveFailures": 1, "BreakDuration": "00:01:00" } } }""");
        await using var window = await browser.OpenAsync();
        await window.ShowAsync(site);
        await site.CallAsync("/orders");
        await Expect(window.Problems.First).ToContainTextAsync(Hostile);
        await Expect(window.CircuitRow(Hostile)).ToHaveCountAsync(1);
        await window.Page.GetByRole(AriaRole.Button, new() { Name = $"Operate {Hostile}" }).First.ClickAsync();
        await ChooseAsync(window, "Isolate");
        await Expect(window.Page.Locator("#operate-effect")).ToContainTextAsync(Hostile);
        await window.Page.Locator("#operate-go").ClickAsync();
        await Expect(window.Page.Locator("#result")).ToContainTextAsync(Hostile);
        await Expect(window.Page.Locator("#event-rows tr", new() { HasText = "<img" }).First).ToBeVisibleAsync();
        (await window.Page.Locator("img").CountAsync()).ShouldBe(0);
        (await window.Page.TitleAsync()).ShouldNotContain("owned");
        await window.ShouldHaveNothingToComplainOfAsync();
    }

    [Fact]
    public async Task TraceId_IsCopied()
    {
        await using var site = await DashboardSite.StartAsync(
            static app => app.MapGet("/orders", static string () => throw new InvalidOperationException("orders")).WithCircuitBreaker("orders"),
            """{ "CircuitBreakers": { "orders": { "ConsecutiveFailures": 1, "BreakDuration": "00:01:00" } } }""");
        await using var window = await browser.OpenAsync(new() { Permissions = ["clipboard-read", "clipboard-write"] });
        await window.ShowAsync(site);
        await site.CallAsync("/orders");
        var copy = window.Page.Locator("#event-rows .copy").First;
        await Expect(copy).ToBeVisibleAsync();
        var traceId = await copy.Locator("code").InnerTextAsync();
        traceId.ShouldMatch("^[0-9a-f]{32}$");
        await copy.ClickAsync();
        await Expect(window.Page.Locator("#result")).ToContainTextAsync("Copied");
        (await window.Page.EvaluateAsync<string>("navigator.clipboard.readText()")).ShouldBe(traceId);
    }

    private static async Task ChooseAsync(DashboardWindow window, string choice)
    {
        await window.Page.Locator($"#operate .choice:has(b:text-is(\"{choice}\")) input").CheckAsync();
        await window.Page.GetByRole(AriaRole.Button, new() { Name = "Continue" }).ClickAsync();
    }

    private Task<DashboardWindow> OpenAsync(string user) => browser.OpenAsync(new() { ExtraHTTPHeaders = [new("Authorization", user)] });
}
