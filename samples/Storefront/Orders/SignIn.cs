using System.Security.Claims;
using Microsoft.AspNetCore.Authentication.BearerToken;
using Microsoft.AspNetCore.DataProtection;
using ResilientHost;

namespace Storefront.Orders;

/// <summary>Stands in for a login: <c>POST /sign-in</c> gives everybody the token of the same customer, good until the shop ends.</summary>
internal static class SignIn
{
    public static void AddSignIn(this IServiceCollection services)
    {
        services.AddDataProtection().UseEphemeralDataProtectionProvider();
        services.AddAuthentication(BearerTokenDefaults.AuthenticationScheme).AddBearerToken();
        services.AddAuthorization();
    }

    public static void MapSignIn(this IEndpointRouteBuilder app) =>
        app.MapPost("/sign-in", () => Results.SignIn(
            new ClaimsPrincipal(new ClaimsIdentity([new Claim(ClaimTypes.Name, "Ada")], BearerTokenDefaults.AuthenticationScheme)),
            authenticationScheme: BearerTokenDefaults.AuthenticationScheme))
            .WithCriticality(Criticality.Critical);
}
