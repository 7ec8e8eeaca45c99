using System.Security.Authentication;

namespace ResilientHost.Outbound;

/// <summary>What is wrong with a certificate. Of several the first here is the one that is counted.</summary>
internal enum CertificateFaultKind
{
    /// <summary>Its time is over, or that of an authority between it and the root.</summary>
    Expired,

    /// <summary>Its time has not come, or that of an authority between it and the root.</summary>
    NotYetValid,

    /// <summary>It is for other names.</summary>
    WrongName,

    /// <summary>Nobody who is trusted vouches for it.</summary>
    Untrusted,

    /// <summary>Anything else: revoked, for another use, missing, not to the application's own liking.</summary>
    Other,
}

/// <summary>A certificate that was not accepted, and why. Immutable.</summary>
/// <param name="Kind">The kind that it counts as.</param>
/// <param name="Description">All that is wrong, as a sentence without a full stop that begins with the host. Bounded; without what a server may not put into a log.</param>
internal sealed record CertificateFault(CertificateFaultKind Kind, string Description);

/// <summary>Ends a handshake whose certificate is not accepted, and carries why to every call that waited for the connection.</summary>
/// <remarks>
/// Thrown where the framework's own exception would be: a validation callback that only returns <see langword="false"/> leaves nothing behind but "rejected by the provided callback", on a thread that
/// knows nothing of the call, for a connection that several calls may have asked for.
/// </remarks>
internal sealed class CertificateFaultException(CertificateFault fault, Exception? inner = null) : AuthenticationException($"{fault.Description}.", inner)
{
    public CertificateFault Fault { get; } = fault;
}

/// <summary>The words of tags and status.</summary>
internal static class CertificateNames
{
    public static string Of(CertificateFaultKind kind) => kind switch
    {
        CertificateFaultKind.Expired => "expired",
        CertificateFaultKind.NotYetValid => "not_yet_valid",
        CertificateFaultKind.WrongName => "wrong_name",
        CertificateFaultKind.Untrusted => "untrusted",
        _ => "other",
    };
}
