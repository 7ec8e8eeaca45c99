using Microsoft.AspNetCore.Authentication;

namespace Storefront.Operations;

/// <summary>The shop's dashboard: who sees it, and who operates.</summary>
internal static class OperationsServiceExtensions
{
    /// <summary>Claim of whoever may operate.</summary>
    public const string MayOperate = "may_operate";

    private const string Section = "Operators";
    private const string OnCall = "on-call";
    private const string Operate = "operate";

    public static void AddOperations(this WebApplicationBuilder builder)
    {
        builder.AddResilienceTelemetry();
        var operators = builder.Configuration.GetSection(Section).Get<Dictionary<string, Operator>>() ?? [];
        foreach (var (name, _) in operators.Where(static entry => entry.Value.Password.Length == 0))
        {
            throw new InvalidOperationException($"Operator '{name}' has no password ({Section}:{name}:Password), so anybody could be them.");
        }

        builder.Services.AddAuthentication().AddScheme<BasicAuthenticationOptions, BasicAuthenticationHandler>(
            BasicAuthenticationHandler.SchemeName,
            options => options.Operators = operators);
        builder.Services.AddAuthorizationBuilder()
            .AddPolicy(OnCall, policy => policy.AddAuthenticationSchemes(BasicAuthenticationHandler.SchemeName).RequireAuthenticatedUser())
            .AddPolicy(Operate, policy => policy.AddAuthenticationSchemes(BasicAuthenticationHandler.SchemeName).RequireClaim(MayOperate, "yes"));
    }

    public static void MapOperations(this WebApplication app)
    {
        app.MapResilienceHealth();
        var dashboard = app.MapResilienceDashboard("/resilience");
        if (app.Configuration.GetSection(Section).GetChildren().Any())
        {
            dashboard.RequireAuthorization(OnCall);
            app.MapResilienceOperations("/resilience").RequireAuthorization(Operate);
        }
        else if (!app.Environment.IsDevelopment())
        {
            // The page names every endpoint of the service. Without operators it is for whoever sits at this machine, and operating is for nobody.
            if (!ListensOnLoopbackAlone(app.Configuration))
            {
                throw new InvalidOperationException(
                    "The dashboard would be open to everybody who reaches this shop. Name who may see it (environment variables Operators__oncall__Password and, to operate, " +
                    "Operators__oncall__MayOperate=true), or let the shop listen on the loopback interface alone (Urls=http://localhost:5080).");
            }

            dashboard.AllowAnonymous();
        }
    }

    // Kestrel's own endpoints beat Urls; an address that is no URI (http://+:8080) means all interfaces.
    private static bool ListensOnLoopbackAlone(IConfiguration configuration)
    {
        var endpoints = configuration.GetSection("Kestrel:Endpoints").GetChildren().Select(static endpoint => endpoint["Url"] ?? "");
        var urls = (configuration[WebHostDefaults.ServerUrlsKey] ?? "").Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        return urls.Concat(endpoints).ToList() is { Count: > 0 } addresses
            && addresses.TrueForAll(static address => Uri.TryCreate(address, UriKind.Absolute, out var uri) && uri.IsLoopback);
    }
}
