using System.Diagnostics;
using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace ResilientHost.Benchmarks.Dashboard;

/// <summary>A service on real Kestrel with fifty endpoints and a dashboard, whose pages can be opened and closed.</summary>
internal sealed class PagedServer : IDisposable
{
    /// <summary>What an open page asks for.</summary>
    public const string Events = "/resilience/events";

    /// <summary>An endpoint whose answer begins, and goes on until its caller leaves.</summary>
    public const string Held = "/held";

    /// <summary>Endpoints that requests go round.</summary>
    public const int Endpoints = 50;

    private static readonly TimeSpan BetweenRequests = TimeSpan.FromMilliseconds(200);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    private readonly WebApplication _application;
    private readonly HttpClient _client;
    private readonly List<HttpResponseMessage> _pages = [];
    private int _next;

    /// <param name="mostPages">Pages that it has room for.</param>
    public PagedServer(int mostPages = 100)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { EnvironmentName = Environments.Development });
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Configuration["Resilience:Dashboard:MaxStreams"] = builder.Configuration["Resilience:Dashboard:MaxStreamsPerUser"] = mostPages.ToString(CultureInfo.InvariantCulture);
        builder.AddResilienceLayers();
        _application = builder.Build();
        _application.UseResilienceLayers();
        for (var endpoint = 0; endpoint < Endpoints; endpoint++)
        {
            _application.MapGet($"/items{endpoint}", static () => "item");
        }

        _application.MapGet(Held, HoldAsync);
        _application.MapResilienceDashboard("/resilience");
        _application.Start();
        _client = new HttpClient { BaseAddress = Address };
    }

    public Uri Address => new(_application.Urls.First());

    /// <summary>Sees to it that so many pages are open.</summary>
    public void Show(int pages)
    {
        if (pages == _pages.Count)
        {
            return;
        }

        _pages.ForEach(static page => page.Dispose());
        _pages.Clear();
        while (_pages.Count < pages)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, Events);
            var page = _client.Send(request, HttpCompletionOption.ResponseHeadersRead);
            if (page.IsSuccessStatusCode)
            {
                _pages.Add(page);
                _ = ReadAsync(page);
            }
            else
            {
                // The server has not seen yet that a page was closed.
                page.Dispose();
                Thread.Sleep(Pause);
            }
        }

        // What opening and closing costs is over by then.
        Thread.Sleep(4 * Pause);
    }

    public void Request()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/items{_next++ % Endpoints}");
        using var response = _client.Send(request);
        response.EnsureSuccessStatusCode();
    }

    /// <summary>Light traffic, for so long.</summary>
    public void RequestSteadily(TimeSpan duration)
    {
        for (var start = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(start) < duration; Thread.Sleep(BetweenRequests))
        {
            Request();
        }
    }

    public void Dispose()
    {
        Show(0);
        _client.Dispose();
        ((IDisposable)_application).Dispose();
    }

    private static async Task HoldAsync(HttpContext context)
    {
        await context.Response.StartAsync();
        await context.Response.Body.FlushAsync();
        await Task.Delay(Timeout.Infinite, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private static async Task ReadAsync(HttpResponseMessage page)
    {
        try
        {
            await page.Content.CopyToAsync(Stream.Null);
        }
        catch (Exception exception) when (exception is IOException or HttpRequestException or ObjectDisposedException or OperationCanceledException)
        {
            // The page was closed.
        }
    }
}
