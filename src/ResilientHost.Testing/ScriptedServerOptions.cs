using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace ResilientHost.Testing;

/// <summary>How a <see cref="ScriptedServer"/> listens and what it keeps. Read once, when the server starts.</summary>
/// <remarks>Not thread-safe: fill it before it is handed over.</remarks>
public sealed class ScriptedServerOptions
{
    /// <summary>The certificate that the server shows, a bad one included.</summary>
    /// <value><see cref="ScriptedCertificate.None"/> by default: plain <c>http</c>. Every other value means <c>https</c>.</value>
    public ScriptedCertificate Certificate { get; set; }

    /// <summary>The HTTP versions that the server speaks.</summary>
    /// <value>
    /// <see cref="HttpProtocols.Http1"/> by default. <see cref="HttpProtocols.Http2"/> works with and without a certificate,
    /// <see cref="HttpProtocols.Http1AndHttp2"/> needs one, as both sides agree on the version while they shake hands. HTTP/3 is not offered.
    /// </value>
    public HttpProtocols Protocols { get; set; } = HttpProtocols.Http1;

    /// <summary>The clock that delays and pauses run on, and that stamps what is recorded.</summary>
    /// <value><see cref="TimeProvider.System"/> by default; a <see cref="ManualTimeProvider"/> makes slow upstreams fast to test.</value>
    public TimeProvider TimeProvider { get; set; } = TimeProvider.System;

    /// <summary>Number of requests kept; the oldest give way. They are counted all the same.</summary>
    /// <value>At least 1, 10,000 by default.</value>
    public int MaxRecordedRequests { get; set; } = 10_000;

    /// <summary>Bytes kept of the body of each request. Bodies are always read to their end.</summary>
    /// <value>At least 0, 65,536 by default.</value>
    public int MaxRecordedBodyBytes { get; set; } = 64 * 1024;

    /// <summary>How long the server's own waits last at most, in real time: a test that waits for what never comes fails and does not hang.</summary>
    /// <value>More than zero and at most a day, or <see cref="Timeout.InfiniteTimeSpan"/>; 30 seconds by default.</value>
    public TimeSpan WaitTimeout { get; set; } = TimeSpan.FromSeconds(30);

    internal ScriptedServerOptions Copy() => (ScriptedServerOptions)MemberwiseClone();

    internal void Validate()
    {
        if (!Enum.IsDefined(Certificate))
        {
            throw Wrong(this, nameof(Certificate), $"is {(int)Certificate}, which is no {nameof(ScriptedCertificate)}: use one of its members.");
        }

        if (Protocols is not (HttpProtocols.Http1 or HttpProtocols.Http2 or HttpProtocols.Http1AndHttp2))
        {
            throw Wrong(this, nameof(Protocols), $"is {Protocols}, but the server speaks HTTP/1.1 and HTTP/2: use Http1, Http2 or Http1AndHttp2.");
        }

        if (Protocols == HttpProtocols.Http1AndHttp2 && Certificate == ScriptedCertificate.None)
        {
            throw Wrong(this, nameof(Protocols), "is Http1AndHttp2, which needs https: set Certificate, or choose Http1 or Http2.");
        }

        if (TimeProvider is null)
        {
            throw Wrong(this, nameof(TimeProvider), "is null: leave it out for the system's clock.");
        }

        if (MaxRecordedRequests < 1)
        {
            throw Wrong(this, nameof(MaxRecordedRequests), $"must be at least 1, but is {MaxRecordedRequests}.");
        }

        if (MaxRecordedBodyBytes < 0)
        {
            throw Wrong(this, nameof(MaxRecordedBodyBytes), $"must be at least 0, but is {MaxRecordedBodyBytes}.");
        }

        if (WaitTimeout != Timeout.InfiniteTimeSpan && (WaitTimeout <= TimeSpan.Zero || WaitTimeout > TimeSpan.FromDays(1)))
        {
            throw Wrong(this, nameof(WaitTimeout), $"must be more than zero and at most a day, or infinite, but is {WaitTimeout}.");
        }
    }

    private static ArgumentException Wrong(ScriptedServerOptions options, string property, string what) =>
        new($"{nameof(ScriptedServerOptions)}.{property} {what}", nameof(options));
}

/// <summary>The certificate that a <see cref="ScriptedServer"/> shows: made in memory, never put into a store of the machine.</summary>
public enum ScriptedCertificate
{
    /// <summary>None: plain <c>http</c>.</summary>
    None,

    /// <summary>Valid for <c>127.0.0.1</c>, <c>::1</c> and <c>localhost</c>, issued by <see cref="ScriptedServer.Authority"/>.</summary>
    Valid,

    /// <summary>As <see cref="Valid"/>, but it ran out yesterday.</summary>
    Expired,

    /// <summary>As <see cref="Valid"/>, but for the name <c>elsewhere.invalid</c> only.</summary>
    WrongHost,

    /// <summary>Right in name and time, but issued by nobody but itself: not even who trusts <see cref="ScriptedServer.Authority"/> trusts it.</summary>
    SelfSigned,
}
