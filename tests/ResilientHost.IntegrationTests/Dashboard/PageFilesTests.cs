using System.Net.Http.Headers;
using System.Text.RegularExpressions;

namespace ResilientHost.IntegrationTests.Dashboard;

/// <summary>The page and its files as any client gets them; no browser.</summary>
public sealed partial class PageFilesTests
{
    private const string Hostile = "<img src=x onerror=\"document.title='owned'\">";

    [GeneratedRegex("(?:src|href)=\"([^\"#]+)\"")]
    private static partial Regex References { get; }

    [Theory]
    [InlineData("/resilience")]
    [InlineData("/resilience/")]
    public async Task Page_WithAndWithoutSlash_NamesFilesThatExist(string path)
    {
        await using var site = await DashboardSite.StartAsync();
        using var client = new HttpClient { BaseAddress = new Uri(site.Address) };
        var html = await client.GetStringAsync(path);
        var files = References.Matches(html).Select(match => match.Groups[1].Value).Where(static file => !file.StartsWith("data:", StringComparison.Ordinal)).ToList();
        files.Count.ShouldBe(3);
        foreach (var file in files)
        {
            using var response = await client.GetAsync(new Uri(new Uri(client.BaseAddress, path), file));
            response.StatusCode.ShouldBe(HttpStatusCode.OK, file);
        }
    }

    [Fact]
    public async Task Page_IsStrict()
    {
        await using var site = await DashboardSite.StartAsync();
        using var client = new HttpClient();
        using var response = await client.GetAsync(new Uri(site.Address + "/resilience"));
        response.Content.Headers.ContentType?.ToString().ShouldBe("text/html; charset=utf-8");
        response.Headers.CacheControl?.NoStore.ShouldBeTrue();
        response.Headers.GetValues("X-Content-Type-Options").ShouldBe(["nosniff"]);
        response.Headers.GetValues("Referrer-Policy").ShouldBe(["no-referrer"]);
        response.Headers.GetValues("Content-Security-Policy").ShouldBe(
            ["default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"]);
        var html = await response.Content.ReadAsStringAsync();
        html.ShouldNotContain("style=\"");
        html.ShouldNotContain("{{");
        html.ShouldNotMatch(" on[a-z]+=");
        html.ShouldNotMatch("(src|href)=\"(https?:)?//");
    }

    [Fact]
    public async Task File_AskedAgain_IsNotSentAgain()
    {
        await using var site = await DashboardSite.StartAsync();
        using var client = new HttpClient();
        var address = new Uri(site.Address + "/resilience/dashboard.js");
        using var first = await client.GetAsync(address);
        first.Headers.CacheControl?.NoCache.ShouldBeTrue();
        first.Content.Headers.ContentType?.ToString().ShouldBe("text/javascript; charset=utf-8");
        first.Headers.GetValues("X-Content-Type-Options").ShouldBe(["nosniff"]);
        using var again = new HttpRequestMessage(HttpMethod.Get, address);
        again.Headers.IfNoneMatch.Add(first.Headers.ETag.ShouldNotBeNull());
        using var second = await client.SendAsync(again);
        second.StatusCode.ShouldBe(HttpStatusCode.NotModified);
    }

    [Theory]
    [InlineData("dashboard.js", 30)]
    [InlineData("uPlot.esm.js", 45)]
    [InlineData("dashboard.css", 10)]
    public async Task File_Packed_IsSmallAndTheSame(string file, int kilobytes)
    {
        await using var site = await DashboardSite.StartAsync();
        using var client = new HttpClient();
        var address = new Uri($"{site.Address}/resilience/{file}");
        var plain = await client.GetByteArrayAsync(address);
        using var request = new HttpRequestMessage(HttpMethod.Get, address);
        request.Headers.AcceptEncoding.Add(new StringWithQualityHeaderValue("gzip"));
        using var response = await client.SendAsync(request);
        response.Content.Headers.ContentEncoding.ShouldBe(["gzip"]);
        response.Headers.Vary.ShouldContain("Accept-Encoding");
        var packed = await response.Content.ReadAsByteArrayAsync();
        packed.Length.ShouldBeLessThan(kilobytes * 1024);
        using var unpacked = new MemoryStream();
        using (var gzip = new System.IO.Compression.GZipStream(new MemoryStream(packed), System.IO.Compression.CompressionMode.Decompress))
        {
            await gzip.CopyToAsync(unpacked);
        }

        unpacked.ToArray().ShouldBe(plain);
    }

    [Theory]
    [InlineData("/resilience")]
    [InlineData("/resilience/dashboard.css")]
    public async Task Head_HasNoBody(string path)
    {
        await using var site = await DashboardSite.StartAsync();
        using var client = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Head, new Uri(site.Address + path));
        using var response = await client.SendAsync(request);
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await response.Content.ReadAsByteArrayAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task Page_HostileName_IsText()
    {
        await using var site = await DashboardSite.StartAsync(app => app.MapGet("/orders", () => "fine").WithName(Hostile).WithCircuitBreaker(Hostile), $$"""{ "CircuitBreakers": { {{JsonSerializer.Serialize(Hostile)}}: { } } }""");
        site.Circuit(Hostile).Isolate();
        using var client = new HttpClient();
        var html = await client.GetStringAsync(new Uri(site.Address + "/resilience"));
        html.ShouldNotContain("<img");
        html.ShouldContain("&lt;img src=x onerror=");
    }

    [Theory]
    [InlineData("/resilience", HttpStatusCode.Unauthorized)]
    [InlineData("/resilience/dashboard.js", HttpStatusCode.Unauthorized)]
    public async Task Page_Stranger_IsTurnedAway(string path, HttpStatusCode expected)
    {
        await using var site = await DashboardSite.StartProtectedAsync();
        using var client = new HttpClient();
        using var response = await client.GetAsync(new Uri(site.Address + path));
        response.StatusCode.ShouldBe(expected);
    }

    [Theory]
    [InlineData(DashboardSite.Viewer, false)]
    [InlineData(DashboardSite.Operator, true)]
    public async Task Page_OffersToOperate_OnlyToWhoMay(string user, bool offered)
    {
        await using var site = await DashboardSite.StartProtectedAsync();
        using var client = new HttpClient();
        client.DefaultRequestHeaders.TryAddWithoutValidation("Authorization", user);
        (await client.GetStringAsync(new Uri(site.Address + "/resilience"))).Contains("<body data-operate ", StringComparison.Ordinal).ShouldBe(offered);
    }
}
