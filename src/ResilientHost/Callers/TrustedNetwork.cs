using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;

namespace ResilientHost.Callers;

/// <summary>Networks as configuration writes them, and addresses as connections show them. IPv4 in its IPv6 clothing is IPv4 for both.</summary>
internal static class TrustedNetwork
{
    private const int MappedPrefix = 96;
    private const int Ipv4Bits = 32;
    private const int Ipv6Bits = 128;

    /// <summary>Reads CIDR notation or a single address.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out IPNetwork network)
    {
        network = default;
        if (text is null)
        {
            return false;
        }

        var slash = text.IndexOf('/', StringComparison.Ordinal);
        if (!TryParseAddress(slash < 0 ? text : text[..slash], out var address))
        {
            return false;
        }

        if (slash < 0)
        {
            address = Plain(address);
            network = new IPNetwork(address, address.AddressFamily == AddressFamily.InterNetwork ? Ipv4Bits : Ipv6Bits);
            return true;
        }

        // The parser takes bits behind the prefix and drops them: 10.0.0.1/8 would trust more than it seems to say.
        if (!IPNetwork.TryParse(text, out var parsed) || !parsed.BaseAddress.Equals(address))
        {
            return false;
        }

        // A wider prefix would trust half of the IPv6 space together with all of IPv4: what it says, so it is left alone.
        network = parsed.BaseAddress.IsIPv4MappedToIPv6 && parsed.PrefixLength >= MappedPrefix
            ? new IPNetwork(parsed.BaseAddress.MapToIPv4(), parsed.PrefixLength - MappedPrefix)
            : parsed;
        return true;
    }

    /// <exception cref="FormatException">The text is no network; the validator says so before.</exception>
    public static IPNetwork Parse(string text) => TryParse(text, out var network) ? network : throw new FormatException($"'{text}' is not a network.");

    /// <summary>The address as IPv4 where it is one.</summary>
    public static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;

    private static bool TryParseAddress(string text, [NotNullWhen(true)] out IPAddress? address) =>
        IPAddress.TryParse(text, out address)

        // The parser takes "10" for 0.0.0.10 and "010.0.0.1" for 8.0.0.1: who writes that means another network than he would get.
        && (address.AddressFamily != AddressFamily.InterNetwork || address.ToString() == text)

        // A scope is a number of this machine's interfaces, and brackets belong to a URL.
        && text.AsSpan().IndexOfAny('%', '[', ']') < 0;
}
