using System.Text;
using Microsoft.Extensions.Primitives;

namespace ResilientHost.Testing;

/// <summary>A request as a <see cref="ScriptedServer"/> got it.</summary>
/// <remarks>Immutable but for <see cref="Ended"/>; thread-safe.</remarks>
public sealed class ScriptedRequest
{
    private readonly TaskCompletionSource<ScriptedEnd> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal ScriptedRequest()
    {
    }

    /// <summary>The method, such as <c>GET</c>.</summary>
    public required string Method { get; init; }

    /// <summary>The path, unescaped, beginning with a slash.</summary>
    public required string Path { get; init; }

    /// <summary>The query, escaped as it came, with its question mark; empty when there is none.</summary>
    public required string Query { get; init; }

    /// <summary>The version that was spoken: <c>HTTP/1.1</c> or <c>HTTP/2</c>.</summary>
    public required string Protocol { get; init; }

    /// <summary>Tells connections apart: two requests with the same id came over the same connection.</summary>
    public required string ConnectionId { get; init; }

    /// <summary>The headers; names are compared without regard to case.</summary>
    public required IReadOnlyDictionary<string, StringValues> Headers { get; init; }

    /// <summary>The body, up to <see cref="ScriptedServerOptions.MaxRecordedBodyBytes"/>.</summary>
    public required ReadOnlyMemory<byte> Body { get; init; }

    /// <summary>Length of the whole body in bytes; more than <see cref="Body"/> holds when that was capped.</summary>
    public required long BodyLength { get; init; }

    /// <summary><see cref="Body"/> read as UTF-8.</summary>
    public string BodyText => Encoding.UTF8.GetString(Body.Span);

    /// <summary>When the request was read to its end, on the server's <see cref="ScriptedServerOptions.TimeProvider"/>.</summary>
    public required DateTimeOffset ReceivedAt { get; init; }

    /// <summary>The route that took the request, <see cref="ScriptedServer.Default"/> included; <see langword="null"/> when none did.</summary>
    public required ScriptedRoute? Route { get; init; }

    /// <summary>
    /// Whether a script had a reply for it. <see langword="false"/> when no route took it or the script was exhausted: the caller got a 501 that says so.
    /// </summary>
    public required bool IsScripted { get; init; }

    /// <summary>Ends when the server is through with the request, and tells how. Never fails.</summary>
    public Task<ScriptedEnd> Ended => _ended.Task;

    internal void End(ScriptedEnd end) => _ended.TrySetResult(end);

    /// <summary>Method, path and query.</summary>
    /// <returns>Such as <c>GET /stock/7?fresh=1</c>.</returns>
    public override string ToString() => $"{Method} {Path}{Query}";
}

/// <summary>How a request to a <see cref="ScriptedServer"/> ended.</summary>
public enum ScriptedEnd
{
    /// <summary>The reply was played to its end, be that end a reset.</summary>
    Replied,

    /// <summary>The client left before: it gave up, was cancelled or crashed.</summary>
    ClientGone,

    /// <summary>The server was disposed before.</summary>
    ServerStopped,
}
