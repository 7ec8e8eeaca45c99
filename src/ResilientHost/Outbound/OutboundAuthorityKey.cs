using System.Runtime.InteropServices;

namespace ResilientHost.Outbound;

/// <summary>Scheme, host and port of a URI, told apart without making a string of them.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct AuthorityKey(string Scheme, string Host, int Port)
{
    /// <exception cref="InvalidOperationException">The URI is relative.</exception>
    public static AuthorityKey Of(Uri uri) => new(uri.Scheme, uri.IdnHost, uri.Port);

    /// <summary>Whether an absolute URI is one of HTTP: by its scheme, or as service discovery writes it (<c>https+http://pricing</c>) that stands further in and puts the real one in its place.</summary>
    public static bool IsHttp(Uri uri) => IsHttp(uri.Scheme) || (uri.Scheme.Contains('+', StringComparison.Ordinal) && IsAnyOfHttp(uri.Scheme));

    /// <summary>Whether a URI has this authority.</summary>
    public bool Matches(Uri uri) => Port == uri.Port && string.Equals(Host, uri.IdnHost, StringComparison.Ordinal) && string.Equals(Scheme, uri.Scheme, StringComparison.Ordinal);

    /// <summary>Such as <c>https://prices.example:443</c>, in lower case as the URI has it already.</summary>
    public override string ToString()
    {
        var host = Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]" : Host;

        // Of a scheme that nobody knows nobody knows the port.
        return Port < 0 ? $"{Scheme}://{host}" : $"{Scheme}://{host}:{Port}";
    }

    private static bool IsHttp(ReadOnlySpan<char> scheme) => scheme is "https" or "http";

    private static bool IsAnyOfHttp(ReadOnlySpan<char> scheme)
    {
        foreach (var part in scheme.Split('+'))
        {
            if (!IsHttp(scheme[part]))
            {
                return false;
            }
        }

        return true;
    }
}
