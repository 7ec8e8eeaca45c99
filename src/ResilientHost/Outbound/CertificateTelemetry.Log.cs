using Microsoft.Extensions.Logging;
using ResilientHost.Telemetry;

namespace ResilientHost.Outbound;

internal sealed partial class CertificateTelemetry
{
    [LoggerMessage(
        EventId = EventIds.Outbound + 40,
        EventName = "CertificateNotAccepted",
        Level = LogLevel.Error,
        Message = "HTTP client '{Client}' cannot call {Authority}. {Fault}. Its circuit breaks for {Seconds} s; then one call at a time tries again. Further ones of any authority are counted and summed up.")]
    private partial void NotAccepted(string client, string authority, string fault, double seconds);

    [LoggerMessage(
        EventId = EventIds.Outbound + 41,
        EventName = "CertificateNotAcceptedMore",
        Level = LogLevel.Error,
        Message = "Certificates that are not accepted have opened circuits of HTTP clients {Count} more times.")]
    private partial void NotAcceptedMore(long count);

    [LoggerMessage(
        EventId = EventIds.Outbound + 42,
        EventName = "CertificateAcceptedAgain",
        Level = LogLevel.Information,
        Message = "HTTP client '{Client}': the certificate of {Authority} is accepted again; it is valid until {NotAfter}.")]
    private partial void AcceptedAgain(string client, string authority, string notAfter);

    [LoggerMessage(
        EventId = EventIds.Outbound + 43,
        EventName = "CertificateExpires",
        Level = LogLevel.Warning,
        Message = "HTTP client '{Client}': the certificate of {Authority} expires in {Days} days, on {NotAfter} ('{Subject}'). From then on new connections fail. Said once a day.")]
    private partial void Expires(string client, string authority, string subject, string notAfter, double days);

    [LoggerMessage(
        EventId = EventIds.Outbound + 44,
        EventName = "CertificateExpired",
        Level = LogLevel.Warning,
        Message = "HTTP client '{Client}': the certificate of {Authority} has expired on {NotAfter} ('{Subject}'). Calls go on over connections from before; new ones fail, unless the application accepts it. Said once a day.")]
    private partial void HasExpired(string client, string authority, string subject, string notAfter);

    [LoggerMessage(
        EventId = EventIds.Outbound + 45,
        EventName = "CertificatesNotObserved",
        Level = LogLevel.Debug,
        Message = "HTTP client '{Client}': certificates cannot be observed: its primary handler ({Handler}) is neither a SocketsHttpHandler nor an HttpClientHandler, or was used before. Faults count as other failures do.")]
    private partial void CannotObserve(string client, string handler);

    [LoggerMessage(
        EventId = EventIds.Outbound + 46,
        EventName = "CertificateNotAcceptedWithoutBreak",
        Level = LogLevel.Error,
        Message = "HTTP client '{Client}' cannot call {Authority}. {Fault}. Its circuit stays as it is: its mode is not one in which it opens by itself. Further ones of any authority are counted and summed up.")]
    private partial void NotAcceptedWithoutBreak(string client, string authority, string fault);
}
