using Microsoft.Playwright;

namespace ResilientHost.IntegrationTests.Dashboard;

/// <summary>One browser for all tests of the page; started by the first that needs it.</summary>
public sealed class DashboardBrowser : IAsyncLifetime
{
    /// <summary>Name of the collection: its tests run one after the other.</summary>
    public const string Collection = "Dashboard in a browser";

    private IPlaywright? _playwright;
    private IBrowser? _browser;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    /// <summary>Opens a window of its own, with an own storage.</summary>
    public async Task<DashboardWindow> OpenAsync(BrowserNewContextOptions? options = null)
    {
        ChromiumInstallation.SkipIfMissing();
        Assertions.SetDefaultExpectTimeout((float)TestService.Patience.TotalMilliseconds);
        _playwright ??= await Playwright.CreateAsync();
        _browser ??= await _playwright.Chromium.LaunchAsync(new() { ExecutablePath = ChromiumInstallation.Program, Args = ChromiumInstallation.Arguments, Headless = true });
        return await DashboardWindow.OpenAsync(_browser, options ?? new());
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null)
        {
            await _browser.DisposeAsync();
        }

        _playwright?.Dispose();
    }
}

[CollectionDefinition(DashboardBrowser.Collection)]
public sealed class DashboardBrowserCollection : ICollectionFixture<DashboardBrowser>;
