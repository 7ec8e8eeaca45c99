using Microsoft.AspNetCore.Authentication;

namespace Storefront.Operations;

/// <summary>The shop's dashboard: who sees it, and who operates.</summary>
internal static class OperationsServiceExtensions
{
    /// <summary>Claim of whoever may operate.</summary>
    public const string MayOperate = "may_operate";

    private const string OnCall = "on-call";
    private const string Operate = "operate";

    public static void AddOperations(this WebApplicationBuilder builder)
    {
        builder.AddResilienceTelemetry();
        var operators = builder.Configuration.GetSection("Operators").Get<Dictionary<string, Operator>>() ?? [];
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
        if (app.Configuration.GetSection("Operators").GetChildren().Any())
        {
            dashboard.RequireAuthorization(OnCall);
            app.MapResilienceOperations("/resilience").RequireAuthorization(Operate);
        }
        else
        {
            // The page names every endpoint of the service. It may be anonymous here because AllowedHosts and Urls keep this sample on the loopback interface; wherever it has
            // operators (Operators:ada:Password) it asks who looks. Operating by nobody in particular is offered in Development alone, and to this machine alone.
            dashboard.AllowAnonymous();
        }
    }
}
