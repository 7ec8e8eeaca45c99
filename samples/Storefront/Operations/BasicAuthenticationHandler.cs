using System.Net.Http.Headers;
using System.Security.Claims;
using System.Security.Cryptography;
using System.Text;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;

namespace Storefront.Operations;

/// <summary>Who may look inside, and who may operate: names with their password and role, under <c>Operators</c>.</summary>
public sealed class BasicAuthenticationOptions : AuthenticationSchemeOptions
{
    /// <summary>Operators by name.</summary>
    public IReadOnlyDictionary<string, Operator> Operators { get; set; } = new Dictionary<string, Operator>();
}

/// <param name="Password">What the browser asks for.</param>
/// <param name="MayOperate">Whether they may do more than look.</param>
public sealed record Operator(string Password, bool MayOperate = false);

/// <summary>Stands in for a company's sign-in (RFC 7617): every browser knows how to ask for a name and a password.</summary>
internal sealed class BasicAuthenticationHandler(IOptionsMonitor<BasicAuthenticationOptions> options, ILoggerFactory logger, UrlEncoder encoder)
    : AuthenticationHandler<BasicAuthenticationOptions>(options, logger, encoder)
{
    public const string SchemeName = "Basic";

    protected override Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (!AuthenticationHeaderValue.TryParse(Request.Headers.Authorization, out var header) || header is not { Scheme: SchemeName, Parameter: { } encoded })
        {
            return Task.FromResult(AuthenticateResult.NoResult());
        }

        var bytes = new byte[encoded.Length];
        var text = Convert.TryFromBase64String(encoded, bytes, out var length) ? Encoding.UTF8.GetString(bytes, 0, length) : "";
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        if (colon < 0
            || !Options.Operators.TryGetValue(text[..colon], out var known)
            || !CryptographicOperations.FixedTimeEquals(Hash(known.Password), Hash(text[(colon + 1)..])))
        {
            return Task.FromResult(AuthenticateResult.Fail("No operator has this name and password."));
        }

        var identity = new ClaimsIdentity([new(ClaimTypes.Name, text[..colon]), new(OperationsServiceExtensions.MayOperate, known.MayOperate ? "yes" : "no")], SchemeName);
        return Task.FromResult(AuthenticateResult.Success(new(new ClaimsPrincipal(identity), SchemeName)));
    }

    protected override Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        Response.Headers.WWWAuthenticate = $"{SchemeName} realm=\"Storefront operations\", charset=\"UTF-8\"";
        return base.HandleChallengeAsync(properties);
    }

    // Of one length: how much of a password is right must not show in how long the comparison takes.
    private static byte[] Hash(string password) => SHA256.HashData(Encoding.UTF8.GetBytes(password));
}
