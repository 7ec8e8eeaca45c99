using System.Net;
using Microsoft.AspNetCore.Http;

namespace ResilientHost.Callers;

/// <summary>Whose word counts; immutable, built once per change of <see cref="TrustedCallerOptions"/>.</summary>
internal sealed class TrustedCallerPolicy
{
    private readonly IPNetwork[] _networks;

    /// <param name="options">Valid options; copied.</param>
    public TrustedCallerPolicy(TrustedCallerOptions options)
    {
        _networks = [.. options.Networks.Select(TrustedNetwork.Parse)];
        IsTrusted = options.IsTrusted;
    }

    /// <summary>The application's own word on callers outside of the networks; <see langword="null"/>: none is trusted.</summary>
    public Func<HttpContext, bool>? IsTrusted { get; }

    /// <summary>Whether the address is in one of the networks. No address, as behind a Unix socket, is in none.</summary>
    public bool Contains(IPAddress? address)
    {
        if (address is null || _networks.Length == 0)
        {
            return false;
        }

        var plain = TrustedNetwork.Plain(address);
        foreach (var network in _networks)
        {
            if (network.Contains(plain))
            {
                return true;
            }
        }

        return false;
    }
}
