namespace ResilientHost.IntegrationTests.Dashboard;

/// <summary>The browser of this machine, and what the tests want besides.</summary>
internal static class ChromiumInstallation
{
    /// <summary>Set where a missing browser is an error and no reason to skip, as in CI.</summary>
    public const string RequiredVariable = "RESILIENT_HOST_REQUIRE_BROWSER";

    /// <summary>Where <c>axe.min.js</c> is, the accessibility checker (npm: axe-core).</summary>
    public const string AxeVariable = "RESILIENT_HOST_AXE";

    /// <summary>Takes no screen, no sandbox (containers have none to give) and no traffic of its own.</summary>
    public static readonly string[] Arguments =
        ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

    /// <summary>Where the browser is; <see langword="null"/>: nowhere.</summary>
    public static string? Program { get; } = new[] { "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome" }.FirstOrDefault(File.Exists);

    public static string? Axe { get; } = Environment.GetEnvironmentVariable(AxeVariable) is { Length: > 0 } path && File.Exists(path) ? path : null;

    /// <summary>Skips the test, and says why, where there is no browser; fails it where there must be one.</summary>
    public static void SkipIfMissing()
    {
        if (Program is null)
        {
            Missing("no Chromium is installed (looked in /usr/bin). Debian: apt-get install chromium.");
        }
    }

    /// <summary>As <see cref="SkipIfMissing"/> for the accessibility checker.</summary>
    public static void SkipIfAxeMissing()
    {
        if (Axe is null)
        {
            Missing($"{AxeVariable} names no axe.min.js (npm install axe-core).");
        }
    }

    private static void Missing(string reason)
    {
        if (Environment.GetEnvironmentVariable(RequiredVariable) == "1")
        {
            Assert.Fail($"{RequiredVariable} is set, but {reason}");
        }

        Assert.Skip(reason);
    }
}
