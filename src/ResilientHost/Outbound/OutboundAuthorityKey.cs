using System.Runtime.InteropServices;

namespace ResilientHost.Outbound;

/// <summary>Scheme, host and port of a URI, told apart without making a string of them.</summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct AuthorityKey(string Scheme, string Host, int Port)
{
    /// <exception cref="InvalidOperationException">The URI is relative.</exception>
    public static AuthorityKey Of(Uri uri) => new(uri.Scheme, uri.IdnHost, uri.Port);

    /// <summary>Whether a URI has this authority.</summary>
    public bool Matches(Uri uri) => Port == uri.Port && string.Equals(Host, uri.IdnHost, StringComparison.Ordinal) && string.Equals(Scheme, uri.Scheme, StringComparison.Ordinal);

    /// <summary>Such as <c>https://prices.example:443</c>, in lower case as the URI has it already.</summary>
    public override string ToString() => Host.Contains(':', StringComparison.Ordinal) ? $"{Scheme}://[{Host}]:{Port}" : $"{Scheme}://{Host}:{Port}";
}
