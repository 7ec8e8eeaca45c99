using System.Net;
using ResilientHost.Refusals;

namespace ResilientHost.Outbound;

/// <summary>Why an attempt or a body failed, as tags and logs show it: a closed set.</summary>
internal static class OutboundFailures
{
    /// <summary>An answer of 500 and above.</summary>
    public const string ServerError = "status_5xx";

    /// <summary>An answer of 408.</summary>
    public const string RequestTimeout = "status_408";

    /// <summary>An answer of 429.</summary>
    public const string TooManyRequests = "status_429";

    /// <summary>The time of the attempt, or of the call, was over.</summary>
    public const string Timeout = "timeout";

    /// <summary>The host's name is not known.</summary>
    public const string NameResolution = "name_resolution";

    /// <summary>There is no connection, or it was lost.</summary>
    public const string Connection = "connection";

    /// <summary>TLS was not agreed on: a certificate, a version, a plaintext peer.</summary>
    public const string SecureConnection = "secure_connection";

    /// <summary>What came is not HTTP, or more of it than is accepted.</summary>
    public const string Protocol = "protocol";

    /// <summary>The response ended before it was complete.</summary>
    public const string ResponseEnded = "response_ended";

    /// <summary>The body came more slowly than is allowed.</summary>
    public const string BodyTooSlow = "body_too_slow";

    /// <summary>A handler of the application's threw, or something else on this side of the wire.</summary>
    public const string Exception = "exception";

    /// <summary>Of an attempt; <see langword="null"/> when it succeeded or nobody wants it any more.</summary>
    public static string? Of(in AttemptResult result) => result.End switch
    {
        AttemptEnd.Succeeded or AttemptEnd.Cancelled => null,
        AttemptEnd.TimedOut or AttemptEnd.EndpointTimedOut => Timeout,
        _ when result.Response is { } response => Of(response.StatusCode),
        _ when result.Exception is { } exception => Of(exception),
        _ => Exception,
    };

    /// <summary>Of what the transport, or a layer, threw.</summary>
    public static string Of(Exception exception) => exception switch
    {
        OutboundRefusedException refused => RefusalTable.CodeOf(refused.Refusal.Reason),
        HttpRequestException { HttpRequestError: not HttpRequestError.Unknown } http => Of(http.HttpRequestError),
        HttpRequestException { InnerException: HttpIOException inner } => Of(inner.HttpRequestError),
        HttpRequestException => Connection,
        HttpIOException http => Of(http.HttpRequestError),
        IOException => Connection,
        TimeoutException => Timeout,
        _ => Exception,
    };

    private static string Of(HttpStatusCode status) => status switch
    {
        HttpStatusCode.RequestTimeout => RequestTimeout,
        HttpStatusCode.TooManyRequests => TooManyRequests,
        _ => ServerError,
    };

    private static string Of(HttpRequestError error) => error switch
    {
        HttpRequestError.NameResolutionError => NameResolution,
        HttpRequestError.SecureConnectionError => SecureConnection,
        HttpRequestError.ResponseEnded => ResponseEnded,
        HttpRequestError.ConnectionError or HttpRequestError.ProxyTunnelError or HttpRequestError.Unknown => Connection,
        _ => Protocol,
    };
}
