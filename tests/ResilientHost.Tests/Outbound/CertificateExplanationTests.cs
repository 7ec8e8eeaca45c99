using System.Security.Authentication;
using System.Security.Cryptography;
using ResilientHost.Outbound;

namespace ResilientHost.Tests.Outbound;

public sealed class CertificateExplanationTests
{
    private static readonly Uri Address = new("https://prices.example:8443/list?key=secret");
    private static readonly CertificateFault Fault = new(CertificateFaultKind.Expired, "The TLS certificate of 'prices.example' is not accepted: it expired");

    [Fact]
    public void Of_CertificateFault_SaysWhatIsWrongAndKeepsTheOriginal()
    {
        var thrown = Secure(new CertificateFaultException(Fault));

        var (exception, fault) = CertificateExplanation.Of(thrown, Address, isObserved: true);

        fault.ShouldBeSameAs(Fault);
        exception.Message.ShouldBe("The TLS certificate of 'prices.example' is not accepted: it expired.");
        exception.ShouldBeOfType<HttpRequestException>().HttpRequestError.ShouldBe(HttpRequestError.SecureConnectionError);
        exception.InnerException.ShouldBeSameAs(thrown);
    }

    [Fact]
    public void Of_CertificateFaultInsideAnotherException_KeepsItsType()
    {
        var thrown = new InvalidOperationException("An own handler's.", Secure(new CertificateFaultException(Fault)));

        var (exception, fault) = CertificateExplanation.Of(thrown, Address, isObserved: true);

        exception.ShouldBeSameAs(thrown);
        fault.ShouldBeSameAs(Fault);
    }

    [Fact]
    public void Of_NotTls_IsSaidOnlyWhereCertificatesAreObserved()
    {
        var thrown = Secure(new AuthenticationException("Cannot determine the frame size or a corrupted frame was received."));

        var (exception, fault) = CertificateExplanation.Of(thrown, Address, isObserved: true);

        fault.ShouldBeNull();
        exception.Message.ShouldBe("The TLS handshake with 'prices.example:8443' failed: what came back is not TLS; is the address one of plain http?");
        exception.InnerException.ShouldBeSameAs(thrown);
        CertificateExplanation.Of(thrown, Address, isObserved: false).Exception.ShouldBeSameAs(thrown);
    }

    [Theory]
    [InlineData(0x0A00042E, "no protocol version and cipher in common")]
    [InlineData(0x0A000102, "no protocol version and cipher in common")]
    [InlineData(0x0A0000C1, "no protocol version and cipher in common")]
    [InlineData(0x0A00010B, "is not TLS")]
    [InlineData(0x0A00009C, "is not TLS")]
    public void Of_OpenSslsReasons_AreReadByCode(int code, string expected)
    {
        var thrown = Secure(new AuthenticationException("Authentication failed.", new InvalidOperationException("SSL_ERROR_SSL", new CryptographicException(code))));

        var (exception, fault) = CertificateExplanation.Of(thrown, Address, isObserved: false);

        exception.Message.ShouldContain(expected);
        fault.ShouldBeNull();
    }

    [Fact]
    public void Of_AnythingElse_IsLeftAsItIs()
    {
        Exception[] others =
        [
            new TaskCanceledException(),
            new HttpRequestException(HttpRequestError.ConnectionError, "refused"),
            new HttpRequestException(HttpRequestError.ConnectionError, "odd", new AuthenticationException("proxy")),
            Secure(new IOException("Received an unexpected EOF")),
            Secure(new AuthenticationException("x", new CryptographicException(0x0A000001))),
            Secure(new AuthenticationException("x", new CryptographicException(0x0300042E))),
        ];

        foreach (var other in others)
        {
            CertificateExplanation.Of(other, Address, isObserved: true).ShouldBe(new(other, null));
        }
    }

    [Fact]
    public void Of_WithoutAnAddress_NamesNone() =>
        CertificateExplanation.Of(Secure(new AuthenticationException("x")), null, isObserved: true).Exception.Message.ShouldContain("the server");

    private static HttpRequestException Secure(Exception inner) => new(HttpRequestError.SecureConnectionError, "The SSL connection could not be established, see inner exception.", inner);
}
