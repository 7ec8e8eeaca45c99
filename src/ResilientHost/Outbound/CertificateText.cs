using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace ResilientHost.Outbound;

/// <summary>Makes what a server wrote into its certificate fit for logs and messages: bounded, printable.</summary>
internal static class CertificateText
{
    private const int MaxLength = 100;
    private const int MaxNames = 3;

    /// <summary>The text without control characters and what is not ASCII, at most 100 characters of it.</summary>
    public static string Clean(string text)
    {
        var length = Math.Min(text.Length, MaxLength);
        var cut = text.Length > MaxLength ? "…" : "";
        return string.Concat(
            string.Create(length, text, static (target, source) =>
            {
                for (var index = 0; index < target.Length; index++)
                {
                    target[index] = source[index] is >= ' ' and <= '~' and not '\'' ? source[index] : '?';
                }
            }),
            cut);
    }

    /// <summary>The names that a certificate is for.</summary>
    public static string NamesOf(X509Certificate2 certificate)
    {
        try
        {
            var names = certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>()
                .SelectMany(static extension => extension.EnumerateDnsNames().Concat(extension.EnumerateIPAddresses().Select(static address => address.ToString())))
                .Take(MaxNames + 1)
                .ToArray();
            return names.Length == 0
                ? $"'{Clean(certificate.Subject)}'"
                : string.Join(", ", names.Take(MaxNames).Select(static name => $"'{Clean(name)}'")) + (names.Length > MaxNames ? " and others" : "");
        }
        catch (CryptographicException)
        {
            return "names that cannot be read";
        }
    }
}
