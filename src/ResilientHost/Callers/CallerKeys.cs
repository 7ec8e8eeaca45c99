using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Claims;
using Microsoft.AspNetCore.Http;

namespace ResilientHost.Callers;

/// <summary>Tells callers apart.</summary>
/// <remarks>
/// <para>Thread-safe; does not throw and never answers null. A key is for counting only: it is never logged and never a tag.</para>
/// <para>Two callers have one key only if they cannot be told apart: what a caller may write cannot be made to look like another's address or like the digest of a long key.</para>
/// </remarks>
internal sealed class CallerKeys(ITrustedCallers trusted, CallerLog log)
{
    /// <summary>The key of whom nothing is known.</summary>
    public const string Nobody = "";

    private const string SubjectClaim = "sub";
    private const int NetworkBytes = 8;
    private const int Ipv6Bytes = 16;

    /// <summary>The key of a request's caller, at most <see cref="CallerText.MaxLength"/> characters and one.</summary>
    public string Of(HttpContext context, CallerSelector selector)
    {
        try
        {
            return selector.Code is { } code ? CallerText.Bound(code(context))
                : selector.Key is { } key ? Named(context, key)
                : Nobody;
        }
        catch (Exception exception)
        {
            log.KeyFailed(exception);
            return Nobody;
        }
    }

    private string Named(HttpContext context, CallerKey key) => key.Kind switch
    {
        CallerKeyKind.User => User(context),
        CallerKeyKind.Claim => CallerText.BoundUnlikeAddress(context.User.FindFirst(key.Name)?.Value),
        CallerKeyKind.Header => Header(context, key.Name),
        CallerKeyKind.RouteValue => CallerText.BoundUnlikeAddress(Convert.ToString(context.Request.RouteValues[key.Name], CultureInfo.InvariantCulture)),
        CallerKeyKind.Host => CallerText.Bound(context.Request.Host.Host.ToLowerInvariant()),
        CallerKeyKind.RemoteAddress => Address(context),
        _ => throw new ArgumentOutOfRangeException(nameof(key), key.Kind, "No such kind."),
    };

    private static string User(HttpContext context)
    {
        var user = context.User;
        if (user.Identity is not { IsAuthenticated: true } identity)
        {
            return Address(context);
        }

        var name = user.FindFirst(ClaimTypes.NameIdentifier)?.Value ?? user.FindFirst(SubjectClaim)?.Value ?? identity.Name;
        return string.IsNullOrEmpty(name) ? Address(context) : CallerText.BoundUnlikeAddress(name);
    }

    private string Header(HttpContext context, string name)
    {
        // Whoever may write the header may be anybody he likes, and a new one with each request.
        if (!trusted.IsTrusted(context))
        {
            return Address(context);
        }

        // Of several values one may be the caller's own addition to what a gateway wrote.
        var values = context.Request.Headers[name];
        return values.Count == 1 ? CallerText.BoundUnlikeAddress(values[0]) : Nobody;
    }

    private static string Address(HttpContext context)
    {
        if (context.Connection.RemoteIpAddress is not { } address)
        {
            return Nobody;
        }

        var plain = TrustedNetwork.Plain(address);
        return plain.AddressFamily == AddressFamily.InterNetworkV6 ? Network(plain) : plain.ToString();
    }

    /// <summary>A subscriber has a network of 64 bits at least, and as many addresses of it as he likes.</summary>
    private static string Network(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[Ipv6Bytes];
        address.TryWriteBytes(bytes, out _);
        bytes[NetworkBytes..].Clear();
        return $"{new IPAddress(bytes)}/64";
    }
}
