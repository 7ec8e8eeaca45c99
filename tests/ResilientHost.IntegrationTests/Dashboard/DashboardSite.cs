using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace ResilientHost.IntegrationTests.Dashboard;

/// <summary>A service with a dashboard on a real Kestrel, at a port that can be taken over by the next.</summary>
public sealed class DashboardSite : IAsyncDisposable
{
    /// <summary>Who may look, and who may operate: values of the header <c>Authorization</c>.</summary>
    public const string Viewer = "viewer";
    public const string Operator = "operator";

    private readonly WebApplication _app;

    private DashboardSite(WebApplication app) => _app = app;

    public string Address => _app.Urls.First();

    public int Port => new Uri(Address).Port;

    public IServiceProvider Services => _app.Services;

    internal CircuitBreaker Circuit(string name) => Services.GetRequiredService<CircuitBreakerRegistry>().Get(name);

    /// <summary>A service in Development, where everybody on this machine may operate.</summary>
    public static Task<DashboardSite> StartAsync(Action<WebApplication>? endpoints = null, string configuration = "{}", int port = 0) =>
        StartAsync(Environments.Development, endpoints, configuration, port, static app => app.MapResilienceDashboard());

    /// <summary>A service in Production, where looking and operating need a right each.</summary>
    public static Task<DashboardSite> StartProtectedAsync(Action<WebApplication>? endpoints = null, string configuration = "{}") =>
        StartAsync(Environments.Production, endpoints, configuration, 0, static app =>
        {
            app.MapResilienceDashboard().RequireAuthorization();
            app.MapResilienceOperations().RequireAuthorization(Operator);
        });

    public static async Task<DashboardSite> StartAsync(string environment, Action<WebApplication>? endpoints, string configuration, int port, Action<WebApplication> map, Action<WebApplication>? outside = null)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions { EnvironmentName = environment, ApplicationName = typeof(DashboardSite).Assembly.GetName().Name, Args = ["--hostBuilder:reloadConfigOnChange=false"] });
        ((IConfigurationBuilder)builder.Configuration).Add(new TestConfiguration(configuration));
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port, static listen => listen.Protocols = HttpProtocols.Http1));
        builder.Services.AddAuthentication("header").AddScheme<AuthenticationSchemeOptions, HeaderScheme>("header", null);
        builder.Services.AddAuthorization(static options => options.AddPolicy(Operator, static policy => policy.RequireRole(Operator)));
        builder.AddResilienceLayers();
        var app = builder.Build();
        outside?.Invoke(app);
        app.UseResilienceLayers();
        endpoints?.Invoke(app);
        map(app);
        try
        {
            await app.StartAsync();
        }
        catch
        {
            await app.DisposeAsync();
            throw;
        }

        return new DashboardSite(app);
    }

    /// <summary>Calls an endpoint as often as it takes.</summary>
    public async Task CallAsync(string path, int times = 1)
    {
        using var client = new HttpClient();
        for (var i = 0; i < times; i++)
        {
            using var response = await client.GetAsync(new Uri(Address + path));
        }
    }

    public async ValueTask DisposeAsync() => await _app.DisposeAsync();

    private sealed class HeaderScheme(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder)
        : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
    {
        protected override Task<AuthenticateResult> HandleAuthenticateAsync()
        {
            var role = Request.Headers.Authorization.ToString();
            return Task.FromResult(role is Viewer or Operator
                ? AuthenticateResult.Success(new AuthenticationTicket(new ClaimsPrincipal(new ClaimsIdentity([new(ClaimTypes.Name, role), new(ClaimTypes.Role, role)], "header")), "header"))
                : AuthenticateResult.NoResult());
        }
    }
}
