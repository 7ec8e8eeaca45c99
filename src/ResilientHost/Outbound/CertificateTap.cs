using System.Diagnostics.CodeAnalysis;
using System.Net.Security;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace ResilientHost.Outbound;

/// <summary>Sits in one transport where certificates are judged, and passes on what the judge there said. Thread-safe.</summary>
/// <remarks>
/// A handshake knows the name that it asked for, not the port, and belongs to no call. So a certificate that is not accepted travels inside the exception (<see cref="CertificateFaultException"/>), and one
/// that is accepted is told of when the connection is handed over together with the request that it was made for.
/// </remarks>
internal sealed class CertificateTap
{
    private readonly RemoteCertificateValidationCallback? _validation;
    private readonly Func<HttpRequestMessage, X509Certificate2?, X509Chain?, SslPolicyErrors, bool>? _requestValidation;
    private readonly ConditionalWeakTable<object, CertificateDates> _accepted = [];
    private volatile CertificateObserver[] _observers;

    private CertificateTap(
        CertificateObserver observer,
        RemoteCertificateValidationCallback? validation,
        Func<HttpRequestMessage, X509Certificate2?, X509Chain?, SslPolicyErrors, bool>? requestValidation)
    {
        _observers = [observer];
        _validation = validation;
        _requestValidation = requestValidation;
    }

    /// <summary>Puts a tap into a transport, or adds to the one that is there: applications hand out one handler to several clients, or the same one again and again.</summary>
    /// <returns><see langword="false"/>: it is no transport that can be looked into, or it is in use already and cannot be changed.</returns>
    [SuppressMessage("Security", "MA0039:Do not write your own certificate validation method", Justification = "It passes on what the application's own, or the framework's, has decided; the tests hold it to that.")]
    public static bool TryPut(HttpMessageHandler? transport, CertificateObserver observer)
    {
        try
        {
            switch (transport)
            {
                case SocketsHttpHandler { SslOptions.RemoteCertificateValidationCallback.Target: CertificateTap there } known:
                    // Applications share the options of several handlers, too; the filter is each handler's own.
                    there.PutFilter(known);
                    there.Add(observer);
                    return true;
                case SocketsHttpHandler sockets:
                    var tap = new CertificateTap(observer, sockets.SslOptions.RemoteCertificateValidationCallback, null);

                    // First what a handler in use turns down.
                    tap.PutFilter(sockets);
                    sockets.SslOptions.RemoteCertificateValidationCallback = tap.Validate;
                    return true;
                case HttpClientHandler { ServerCertificateCustomValidationCallback.Target: CertificateTap there }:
                    there.Add(observer);
                    return true;
                case HttpClientHandler handler:
                    handler.ServerCertificateCustomValidationCallback = new CertificateTap(observer, null, handler.ServerCertificateCustomValidationCallback).Validate;
                    return true;
                default:
                    return false;
            }
        }
        catch (Exception exception) when (exception is InvalidOperationException or PlatformNotSupportedException)
        {
            return false;
        }
    }

    private void PutFilter(SocketsHttpHandler handler)
    {
        if (handler.PlaintextStreamFilter?.Target is not Filter there || there.Tap != this)
        {
            handler.PlaintextStreamFilter = new Filter(this, handler.PlaintextStreamFilter).HandOver;
        }
    }

    private void Add(CertificateObserver observer)
    {
        lock (_accepted)
        {
            if (!_observers.Contains(observer))
            {
                _observers = [.. _observers, observer];
            }
        }
    }

    private bool Validate(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        bool accepted;
        try
        {
            accepted = _validation?.Invoke(sender, certificate, chain, errors) ?? errors == SslPolicyErrors.None;
        }
        catch (Exception exception)
        {
            throw Refuse((sender as SslStream)?.TargetHostName, certificate, chain, errors, exception);
        }

        if (!accepted)
        {
            throw Refuse((sender as SslStream)?.TargetHostName, certificate, chain, errors, thrown: null);
        }

        if (Dates(certificate, chain) is { } dates)
        {
            _accepted.AddOrUpdate(sender, dates);
        }

        return accepted;
    }

    private bool Validate(HttpRequestMessage request, X509Certificate2? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        bool accepted;
        try
        {
            accepted = _requestValidation?.Invoke(request, certificate, chain, errors) ?? errors == SslPolicyErrors.None;
        }
        catch (Exception exception)
        {
            throw Refuse(request.RequestUri?.IdnHost, certificate, chain, errors, exception);
        }

        if (!accepted)
        {
            throw Refuse(request.RequestUri?.IdnHost, certificate, chain, errors, thrown: null);
        }

        if (Dates(certificate, chain) is { } dates)
        {
            Tell(request, dates);
        }

        return accepted;
    }

    private void HandOver(SocketsHttpPlaintextStreamFilterContext context)
    {
        if (_accepted.TryGetValue(context.PlaintextStream, out var dates))
        {
            _accepted.Remove(context.PlaintextStream);
            Tell(context.InitialRequestMessage, dates);
        }
    }

    private void Tell(HttpRequestMessage request, CertificateDates dates)
    {
        if (request.RequestUri is { IsAbsoluteUri: true } uri && CertificateWatches.IsUnderItsOwnName(uri, request.Headers.Host))
        {
            foreach (var observer in _observers)
            {
                observer.Accepted(uri, dates);
            }
        }
    }

    private CertificateFaultException Refuse(string? host, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors, Exception? thrown)
    {
        // One handshake, however many clients share the handler.
        var observer = _observers[0];
        CertificateFault fault;
        try
        {
            fault = CertificateJudge.Judge(host, certificate as X509Certificate2, chain, errors, observer.UtcNow);
        }
        catch (Exception)
        {
            // An application's validation may have disposed what it was lent, and a server may have made up what cannot be read. It stays turned down.
            fault = new(CertificateFaultKind.Other, $"The TLS certificate of the server is not accepted: {errors}");
        }

        observer.NotAccepted(fault);
        return new(fault, thrown);
    }

    private static CertificateDates? Dates(X509Certificate? certificate, X509Chain? chain)
    {
        try
        {
            return certificate is X509Certificate2 known ? CertificateDates.Of(known, chain) : null;
        }
        catch (CryptographicException)
        {
            // Disposed by the application's validation.
            return null;
        }
    }

    /// <summary>Sits in one handler where connections are handed over, before the application's own filter.</summary>
    private sealed class Filter(CertificateTap tap, Func<SocketsHttpPlaintextStreamFilterContext, CancellationToken, ValueTask<Stream>>? own)
    {
        public CertificateTap Tap => tap;

        public ValueTask<Stream> HandOver(SocketsHttpPlaintextStreamFilterContext context, CancellationToken cancellationToken)
        {
            tap.HandOver(context);
            return own is null ? ValueTask.FromResult(context.PlaintextStream) : own(context, cancellationToken);
        }
    }
}
