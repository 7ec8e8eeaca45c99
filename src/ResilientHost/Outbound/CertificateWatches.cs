using System.Collections.Concurrent;
using ResilientHost.Hosting;

namespace ResilientHost.Outbound;

/// <summary>What handlers ask about certificates: who looks on at a client's handshakes, and what a failure of the transport comes to. One for each host; thread-safe.</summary>
internal sealed class CertificateWatches(MonotonicClock clock, CertificateTelemetry telemetry)
{
    private readonly ConcurrentDictionary<OutboundClient, CertificateObserver> _observers = new();

    /// <summary>Looks on at the handshakes of a transport from now on; to be called before it is used, after everybody else has configured it.</summary>
    /// <param name="client">The client that it belongs to.</param>
    /// <param name="primary">The handler that sends.</param>
    public void Observe(OutboundClient client, HttpMessageHandler? primary) => ObserverOf(client).Observe(primary);

    /// <summary>An attempt failed in the transport: says what was wrong where the exception does not, and breaks the circuit when it was the certificate. Before the attempt's layers are ended.</summary>
    /// <param name="client">The client.</param>
    /// <param name="authority">Where the attempt was to go.</param>
    /// <param name="exception">What the transport threw.</param>
    /// <param name="sentTo">The request's address by now: redirects change it.</param>
    /// <param name="permit">What the attempt has of the circuit.</param>
    /// <param name="hostHeader">The request's own Host header: the certificate was to be for that name then, which says nothing about the authority's own.</param>
    public CertificateExplanation Explain(OutboundClient client, OutboundAuthority authority, Exception exception, Uri? sentTo, in CircuitPermit permit, string? hostHeader = null)
    {
        var explanation = CertificateExplanation.Of(exception, sentTo, _observers.TryGetValue(client, out var observer) && observer.IsObserving);
        if (explanation.Fault is { } fault && IsUnderItsOwnName(sentTo, hostHeader))
        {
            WatchOf(client, authority).NotAccepted(fault, sentTo, permit);
        }

        return explanation;
    }

    /// <summary>Whether the name that a certificate was to be for is that of the address: the transport asks for that of the Host header where there is one. Ports are of no matter to certificates.</summary>
    public static bool IsUnderItsOwnName(Uri? sentTo, string? hostHeader) =>
        string.IsNullOrEmpty(hostHeader)
        || sentTo is not { IsAbsoluteUri: true }
        || (Uri.TryCreate($"https://{hostHeader}/", UriKind.Absolute, out var named) && string.Equals(named.IdnHost, sentTo.IdnHost, StringComparison.OrdinalIgnoreCase));

    private CertificateObserver ObserverOf(OutboundClient client) => _observers.GetOrAdd(
        client,
        static (key, self) => new(key.Name, self.Clock, self.Telemetry, uri => key.Find(uri) is { } authority ? self.Watches.WatchOf(key, authority) : null),
        (Watches: this, Clock: clock, Telemetry: telemetry));

    // Made with the first handshake: most authorities of a client that calls many are plain or gone before they have one.
    private CertificateWatch WatchOf(OutboundClient client, OutboundAuthority authority)
    {
        if (authority.Certificates is { } known)
        {
            return known;
        }

        lock (authority)
        {
            return authority.Certificates ??= new CertificateWatch(client, authority, clock, telemetry);
        }
    }
}
