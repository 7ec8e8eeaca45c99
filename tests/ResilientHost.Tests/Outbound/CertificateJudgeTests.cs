using System.Net.Security;
using ResilientHost.Outbound;

namespace ResilientHost.Tests.Outbound;

public sealed class CertificateJudgeTests
{
    private static readonly DateTimeOffset Now = CertificateChainFixture.Now;
    private readonly CertificateChainFixture _chains = new();

    [Fact]
    public void Judge_Expired_SaysSinceWhen()
    {
        var until = Now.AddDays(-3);

        var fault = Judge(_chains.Show(until: until));

        fault.Kind.ShouldBe(CertificateFaultKind.Expired);
        fault.Description.ShouldBe($"The TLS certificate of 'prices.example' is not accepted: it expired on {until:yyyy-MM-dd HH:mm:ss}Z");
    }

    [Fact]
    public void Judge_NotYetValid_SaysFromWhen()
    {
        var from = Now.AddDays(2);

        var fault = Judge(_chains.Show(from: from));

        fault.Kind.ShouldBe(CertificateFaultKind.NotYetValid);
        fault.Description.ShouldEndWith($"it is not valid before {from:yyyy-MM-dd HH:mm:ss}Z");
    }

    [Fact]
    public void Judge_IssuerExpired_NamesTheIssuer()
    {
        var fault = Judge(_chains.Show(issuerUntil: Now.AddDays(-1)));

        fault.Kind.ShouldBe(CertificateFaultKind.Expired);
        fault.Description.ShouldContain("its issuer 'CN=issuer' expired on ");
    }

    [Fact]
    public void Judge_WrongName_SaysWhoItIsFor()
    {
        var fault = Judge(_chains.Show(names: ["a.example", "b.example", "c.example", "d.example"], matches: false));

        fault.Kind.ShouldBe(CertificateFaultKind.WrongName);
        fault.Description.ShouldEndWith("it is for 'a.example', 'b.example', 'c.example' and others");
    }

    [Fact]
    public void Judge_NoNames_FallsBackToTheSubject() =>
        Judge(_chains.Show(names: [], matches: false)).Description.ShouldEndWith("it is for 'CN=server'");

    [Fact]
    public void Judge_Untrusted_SaysSo()
    {
        var fault = Judge(_chains.Show(trusted: false));

        fault.Kind.ShouldBe(CertificateFaultKind.Untrusted);
        fault.Description.ShouldContain("its issuer is not trusted (");
    }

    [Fact]
    public void Judge_EverythingWrong_CountsAsTheFirstKindAndTellsAll()
    {
        var fault = Judge(_chains.Show(until: Now.AddDays(-1), trusted: false, matches: false));

        fault.Kind.ShouldBe(CertificateFaultKind.Expired);
        fault.Description.ShouldContain("it expired on ");
        fault.Description.ShouldContain("it is for 'prices.example'");
        fault.Description.ShouldContain("its issuer is not trusted");
    }

    [Fact]
    public void Judge_GoodButTurnedDown_BlamesTheApplicationsValidation()
    {
        var fault = Judge(_chains.Show());

        fault.Kind.ShouldBe(CertificateFaultKind.Other);
        fault.Description.ShouldContain("the application's own validation");
    }

    [Fact]
    public void Judge_None_SaysSo()
    {
        var fault = CertificateJudge.Judge(null, null, null, SslPolicyErrors.RemoteCertificateNotAvailable, Now);

        fault.Kind.ShouldBe(CertificateFaultKind.Other);
        fault.Description.ShouldBe("The TLS certificate of the server is not accepted: the server showed none");
    }

    [Fact]
    public void Judge_ChainErrorsWithoutAChain_IsOther()
    {
        var (certificate, _, _) = _chains.Show();

        CertificateJudge.Judge("prices.example", certificate, null, SslPolicyErrors.RemoteCertificateChainErrors, Now).Kind.ShouldBe(CertificateFaultKind.Other);
    }

    [Fact]
    public void Judge_HostsClockBehindTheFrameworks_GoesByTheNearerBound()
    {
        // Valid from 300 days before now until yesterday; at the host's time it still is.
        var (certificate, chain, errors) = _chains.Show(until: Now.AddDays(-1));

        CertificateJudge.Judge("prices.example", certificate, chain, errors, Now.AddDays(-2)).Kind.ShouldBe(CertificateFaultKind.Expired);
        CertificateJudge.Judge("prices.example", certificate, chain, errors, Now.AddDays(-299)).Kind.ShouldBe(CertificateFaultKind.NotYetValid);
    }

    [Fact]
    public void Judge_NamesWithControlCharacters_AreCleanAndBounded()
    {
        CertificateText.Clean("evil\r\nerror: 'all' lost").ShouldBe("evil??error: ?all? lost");
        CertificateText.Clean(new string('x', 5_000)).Length.ShouldBe(101);
        CertificateText.Clean("bücher").ShouldBe("b?cher");
    }

    [Fact]
    public void Dates_IssuerEndsFirst_IsWhatCounts()
    {
        var end = Now.AddDays(20);
        var (certificate, chain, _) = _chains.Show(issuerUntil: end);

        var dates = CertificateDates.Of(certificate, chain);

        dates.NotAfter.ShouldBe(end, TimeSpan.FromSeconds(1));
        dates.Subject.ShouldBe("CN=issuer");
    }

    [Fact]
    public void Dates_WithoutChain_AreTheCertificatesOwn()
    {
        var end = Now.AddDays(40);
        var (certificate, _, _) = _chains.Show(until: end);

        CertificateDates.Of(certificate, null).NotAfter.ShouldBe(end, TimeSpan.FromSeconds(1));
        CertificateDates.Utc(DateTime.MaxValue).ShouldBe(new DateTimeOffset(DateTime.MaxValue, TimeSpan.Zero));
    }

    [Theory]
    [InlineData(0, "expired")]
    [InlineData(1, "not_yet_valid")]
    [InlineData(2, "wrong_name")]
    [InlineData(3, "untrusted")]
    [InlineData(4, "other")]
    public void Kinds_HaveTheirWords(int kind, string word) => CertificateNames.Of((CertificateFaultKind)kind).ShouldBe(word);

    private static CertificateFault Judge((System.Security.Cryptography.X509Certificates.X509Certificate2 Certificate, System.Security.Cryptography.X509Certificates.X509Chain Chain, SslPolicyErrors Errors) shown) =>
        CertificateJudge.Judge("prices.example", shown.Certificate, shown.Chain, shown.Errors, Now);
}
