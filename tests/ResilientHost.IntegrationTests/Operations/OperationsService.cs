using System.Security.Claims;
using System.Text;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;

namespace ResilientHost.IntegrationTests.Operations;

/// <summary>A service with users: the header <c>X-User</c> says who; a name that begins with "guest" has no claim, and one that begins with "sub:" is no name but an id.</summary>
internal static class OperationsService
{
    public const string Policy = "on-call";

    /// <summary>Sent to have the service take the connection for one from there.</summary>
    public const string RemoteHeader = "X-Test-Remote";

    public static TestServiceSetup Setup(
        Action<WebApplication> endpoints,
        string environment = "Production",
        string configuration = "{}",
        ManualTimeProvider? time = null,
        Action<WebApplicationBuilder>? more = null) => new()
        {
            Environment = environment,
            Configuration = configuration,
            Time = time,
            MapsStatus = false,
            Builder = builder =>
            {
                builder.Services.AddAuthentication("test").AddScheme<AuthenticationSchemeOptions, UserScheme>("test", null);
                builder.Services.AddAuthorization(options => options.AddPolicy(Policy, policy => policy.RequireClaim("on-call")));
                more?.Invoke(builder);
            },
            Outside = app => app.Use((context, next) =>
            {
                if (context.Request.Headers[RemoteHeader] is [{ } address])
                {
                    context.Connection.RemoteIpAddress = IPAddress.Parse(address);
                }

                return next(context);
            }),
            Endpoints = endpoints,
        };

    /// <summary>Guards endpoints as a test's data say: <c>none</c>, <c>anonymous</c> or <c>policy</c>.</summary>
    public static void Guard(this IEndpointConventionBuilder endpoints, string guard) => _ = guard switch
    {
        "policy" => endpoints.RequireAuthorization(Policy),
        "anonymous" => endpoints.AllowAnonymous(),
        _ => endpoints,
    };

    public static HttpRequestMessage Request(HttpMethod method, string path, string? user = null, string? body = null, params IEnumerable<(string Name, string Value)> headers)
    {
        var request = new HttpRequestMessage(method, path);
        if (body is not null)
        {
            request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        }

        if (user is not null)
        {
            request.Headers.Add("X-User", user);
        }

        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return request;
    }

    public static async Task<(int Status, string Body)> PostAsync(this TestService service, string path, string body, string? user = "eve", params IEnumerable<(string Name, string Value)> headers)
    {
        using var request = Request(HttpMethod.Post, path, user, body, headers);
        using var response = await service.SendAsync(request);
        return ((int)response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    private sealed class UserScheme(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder)
        : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
    {
        protected override Task<AuthenticateResult> HandleAuthenticateAsync()
        {
            if (Request.Headers["X-User"] is not [{ Length: > 0 } user])
            {
                return Task.FromResult(AuthenticateResult.NoResult());
            }

            Claim[] claims = user switch
            {
                _ when user.StartsWith("sub:", StringComparison.Ordinal) => [new("sub", user["sub:".Length..])],
                _ when user.StartsWith("guest", StringComparison.Ordinal) => [new(ClaimTypes.Name, user)],
                _ => [new(ClaimTypes.Name, user), new("on-call", "yes")],
            };
            return Task.FromResult(AuthenticateResult.Success(new(new ClaimsPrincipal(new ClaimsIdentity(claims, Scheme.Name)), Scheme.Name)));
        }
    }
}
