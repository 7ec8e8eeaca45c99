using System.Security.Authentication;
using System.Security.Cryptography;

namespace ResilientHost.Outbound;

/// <summary>What a failure of the transport comes to.</summary>
/// <param name="Exception">What the caller gets: the one that was thrown, or one that says what was wrong and has it inside.</param>
/// <param name="Fault">The certificate that was not accepted, if that was it: making the attempt again is of no use.</param>
internal readonly record struct CertificateExplanation(Exception Exception, CertificateFault? Fault)
{
    private const int MaxDepth = 8;
    private const int SslLibrary = 20;
    private const string NotTls = "what came back is not TLS; is the address one of plain http?";

    /// <summary>Reads what the transport threw.</summary>
    /// <param name="exception">What was thrown.</param>
    /// <param name="sentTo">Where the request went; named in messages.</param>
    /// <param name="isObserved">Whether certificates that are not accepted come as <see cref="CertificateFaultException"/>, so that an anonymous failure to authenticate is none of them.</param>
    public static CertificateExplanation Of(Exception exception, Uri? sentTo, bool isObserved)
    {
        if (Find<CertificateFaultException>(exception) is { } found)
        {
            return new(exception is HttpRequestException ? Say(exception, found.Message) : exception, found.Fault);
        }

        return exception is HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError, InnerException: AuthenticationException failure }
            && Trouble(failure, isObserved) is { } trouble
                ? new(Say(exception, $"The TLS handshake with '{CertificateText.Clean(sentTo?.IsAbsoluteUri == true ? sentTo.Authority : "the server")}' failed: {trouble}"), null)
                : new(exception, null);
    }

    private static HttpRequestException Say(Exception exception, string message) => new(HttpRequestError.SecureConnectionError, message, exception);

    // By codes, not by texts, which are translated and change.
    private static string? Trouble(AuthenticationException failure, bool isObserved)
    {
        if (Find<CryptographicException>(failure) is { HResult: var code })
        {
            // OpenSSL packs library and reason into one number: https://docs.openssl.org/3.0/man3/ERR_GET_LIB/
            return ((code >> 23) & 0xFF) != SslLibrary ? null : (code & 0x7FFFFF) switch
            {
                // Alerts of the other side: protocol_version, insufficient_security, handshake_failure; on this side: unsupported protocol, no shared cipher, no protocols available.
                1070 or 1071 or 1040 or 258 or 193 or 191 => "the two sides have no protocol version and cipher in common, or the server takes no client like this one.",

                // wrong version number, http request, packet length too long.
                267 or 156 or 198 => NotTls,
                _ => null,
            };
        }

        // What is not TLS at all is noticed before OpenSSL sees it, and has nothing inside.
        return isObserved && failure.InnerException is null ? NotTls : null;
    }

    private static T? Find<T>(Exception exception)
        where T : Exception
    {
        var current = exception;
        for (var depth = 0; current is not null && depth < MaxDepth; depth++, current = current.InnerException)
        {
            if (current is T found)
            {
                return found;
            }
        }

        return null;
    }
}
