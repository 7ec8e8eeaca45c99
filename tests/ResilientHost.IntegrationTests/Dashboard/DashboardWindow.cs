using System.Collections.Concurrent;
using Microsoft.Playwright;

namespace ResilientHost.IntegrationTests.Dashboard;

/// <summary>A window of the browser that remembers everything the page did wrong.</summary>
public sealed class DashboardWindow : IAsyncDisposable
{
    private const string RecordViolations =
        "window.violations = []; document.addEventListener('securitypolicyviolation', e => window.violations.push(`${e.violatedDirective} ${e.blockedURI} ${e.sample}`));";

    private readonly ConcurrentQueue<string> _complaints = new();

    private DashboardWindow(IBrowserContext context, IPage page)
    {
        (Context, Page) = (context, page);
        page.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning")
            {
                _complaints.Enqueue($"{message.Type}: {message.Text} ({message.Location})");
            }
        };
        page.PageError += (_, error) => _complaints.Enqueue(error);
    }

    public IBrowserContext Context { get; }

    public IPage Page { get; }

    public ILocator Verdict => Page.Locator("#verdict");

    public ILocator Problems => Page.Locator("#problems tbody tr");

    public ILocator Connection => Page.Locator("#connection");

    public static async Task<DashboardWindow> OpenAsync(IBrowser browser, BrowserNewContextOptions options)
    {
        var context = await browser.NewContextAsync(options);
        context.SetDefaultTimeout((float)TestService.Patience.TotalMilliseconds);
        if (options.JavaScriptEnabled != false)
        {
            await context.AddInitScriptAsync(RecordViolations);
        }

        return new DashboardWindow(context, await context.NewPageAsync());
    }

    /// <summary>Opens the dashboard and waits until it is kept up to date.</summary>
    public async Task ShowAsync(DashboardSite site, string path = "/resilience")
    {
        await Page.GotoAsync(site.Address + path);
        await LiveAsync();
    }

    public Task LiveAsync() => Assertions.Expect(Connection).ToHaveAttributeAsync("data-state", "live");

    public ILocator CircuitRow(string name) => Page.Locator("#board-rows tr").Filter(new() { Has = Page.GetByText(name, new() { Exact = true }) });

    /// <summary>No error or warning on the console, no exception, nothing that the content security policy held up.</summary>
    public async Task ShouldHaveNothingToComplainOfAsync()
    {
        (await Page.EvaluateAsync<string[]>("window.violations")).ShouldBeEmpty();
        _complaints.ShouldBeEmpty();
    }

    public async ValueTask DisposeAsync() => await Context.DisposeAsync();
}
