using System.Diagnostics.CodeAnalysis;
using System.Text;
using System.Text.Json;

namespace ResilientHost.Testing;

/// <summary>One step of a script: what a <see cref="ScriptedServer"/> does with one request.</summary>
/// <remarks>
/// Immutable, hence thread-safe and free to be used in any number of scripts: start with one of the static methods, then refine; each method returns
/// a new reply. What cannot work throws where it is written. Answers carry a <c>Content-Length</c>; HTTP keeps the body from <c>HEAD</c> requests.
/// </remarks>
public sealed partial class ScriptedReply
{
    private static readonly TimeSpan MaxDelay = TimeSpan.FromDays(1);

    private ScriptedReply(ScriptedReplyKind kind) => Kind = kind;

    private ScriptedReply(ScriptedReply other)
    {
        Kind = other.Kind;
        StatusCode = other.StatusCode;
        ContentType = other.ContentType;
        Body = other.Body;
        Headers = other.Headers;
        Delay = other.Delay;
        IsHeld = other.IsHeld;
        ChunkBytes = other.ChunkBytes;
        Pause = other.Pause;
        CutAfter = other.CutAfter;
        CutsByReset = other.CutsByReset;
        Repeats = other.Repeats;
    }

    internal ScriptedReplyKind Kind { get; }

    internal int StatusCode { get; private init; } = 200;

    internal string? ContentType { get; private init; }

    internal ReadOnlyMemory<byte> Body { get; private init; }

    internal IReadOnlyList<KeyValuePair<string, string>> Headers { get; private init; } = [];

    internal TimeSpan Delay { get; private init; }

    internal bool IsHeld { get; private init; }

    internal int? ChunkBytes { get; private init; }

    internal TimeSpan Pause { get; private init; }

    internal int? CutAfter { get; private init; }

    internal bool CutsByReset { get; private init; }

    internal int Repeats { get; private init; } = 1;

    /// <summary>Whether the server ends the connection on purpose.</summary>
    internal bool EndsConnection => Kind != ScriptedReplyKind.Answer || CutAfter is not null;

    /// <summary>A status without a body.</summary>
    /// <param name="statusCode">From 200 to 599.</param>
    /// <returns>The reply.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The status is none that an answer can have.</exception>
    public static ScriptedReply Status(int statusCode) => Answer(statusCode, null, default);

    /// <summary>A text.</summary>
    /// <param name="body">The text; sent as UTF-8.</param>
    /// <param name="statusCode">From 200 to 599, without 204, 205 and 304, which have no body.</param>
    /// <param name="contentType">The <c>Content-Type</c>.</param>
    /// <returns>The reply.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The status is none that an answer with a body can have.</exception>
    /// <exception cref="ArgumentException">The content type cannot be sent.</exception>
    public static ScriptedReply Text(string body, int statusCode = 200, string contentType = "text/plain; charset=utf-8")
    {
        ArgumentNullException.ThrowIfNull(body);
        return Bytes(Encoding.UTF8.GetBytes(body), statusCode, contentType);
    }

    /// <summary>Ready JSON.</summary>
    /// <param name="json">The JSON. To answer what is none on purpose, use <see cref="Text"/> with the content type <c>application/json</c>.</param>
    /// <param name="statusCode">From 200 to 599, without 204, 205 and 304, which have no body.</param>
    /// <returns>The reply.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The status is none that an answer with a body can have.</exception>
    /// <exception cref="ArgumentException">The text is no JSON.</exception>
    public static ScriptedReply Json([StringSyntax(StringSyntaxAttribute.Json)] string json, int statusCode = 200)
    {
        ArgumentNullException.ThrowIfNull(json);
        try
        {
            using var document = JsonDocument.Parse(json);
        }
        catch (JsonException error)
        {
            throw new ArgumentException(
                $"The text is no JSON: {error.Message} To answer broken JSON on purpose, use Text(body, statusCode, \"application/json\").", nameof(json), error);
        }

        return Text(json, statusCode, "application/json");
    }

    /// <summary>A value as JSON, written as ASP.NET Core writes it: names in camel case.</summary>
    /// <typeparam name="T">Type of the value.</typeparam>
    /// <param name="value">The value; serialized once, now.</param>
    /// <param name="statusCode">From 200 to 599, without 204, 205 and 304, which have no body.</param>
    /// <returns>The reply.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The status is none that an answer with a body can have.</exception>
    /// <exception cref="NotSupportedException">The value cannot be serialized.</exception>
    [RequiresUnreferencedCode("Serializes by reflection; where code is trimmed, hand over ready JSON.")]
    [RequiresDynamicCode("Serializes by reflection; where code is compiled ahead of time, hand over ready JSON.")]
    public static ScriptedReply Json<T>(T value, int statusCode = 200) =>
        Bytes(JsonSerializer.SerializeToUtf8Bytes(value, JsonSerializerOptions.Web), statusCode, "application/json");

    /// <summary>Bytes.</summary>
    /// <param name="body">The bytes; copied.</param>
    /// <param name="statusCode">From 200 to 599, without 204, 205 and 304, which have no body.</param>
    /// <param name="contentType">The <c>Content-Type</c>.</param>
    /// <returns>The reply.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The status is none that an answer with a body can have.</exception>
    /// <exception cref="ArgumentException">The content type cannot be sent.</exception>
    public static ScriptedReply Bytes(ReadOnlyMemory<byte> body, int statusCode = 200, string contentType = "application/octet-stream")
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(contentType);
        ThrowIfUnsendable("Content-Type", contentType, nameof(contentType));
        if (statusCode is 204 or 205 or 304)
        {
            throw new ArgumentOutOfRangeException(nameof(statusCode), statusCode, $"An answer of {statusCode} has no body: use Status({statusCode}).");
        }

        return Answer(statusCode, contentType, body.ToArray());
    }

    /// <summary>No answer until <see cref="ScriptedRoute.Release"/>, then an empty 200; also ends when the client leaves or the server is disposed.</summary>
    /// <returns>The reply: the same as <c>Status(200).WhenReleased()</c>.</returns>
    public static ScriptedReply Hang() => Status(200).WhenReleased();

    /// <summary>No answer: the connection is reset (TCP <c>RST</c>) once the request was read. Over HTTP/2 this ends all requests of the connection.</summary>
    /// <returns>The reply.</returns>
    public static ScriptedReply Reset() => new(ScriptedReplyKind.Reset);

    /// <summary>Bytes that are no HTTP; then the connection is closed. Over https they are no TLS either.</summary>
    /// <param name="bytes">What to send, as Latin-1; not empty. Some lines that are no HTTP when <see langword="null"/>.</param>
    /// <returns>The reply.</returns>
    /// <exception cref="ArgumentException">There is nothing to send.</exception>
    public static ScriptedReply Garbage(string? bytes = null)
    {
        bytes ??= "\u0001\u0002 this is no HTTP, neither 1.1 nor 2 \u00ff\u00fe\r\n\r\n";
        ArgumentException.ThrowIfNullOrEmpty(bytes);
        return new ScriptedReply(ScriptedReplyKind.Garbage) { Body = Encoding.Latin1.GetBytes(bytes) };
    }

    private static ScriptedReply Answer(int statusCode, string? contentType, ReadOnlyMemory<byte> body)
    {
        if (statusCode is < 200 or > 599)
        {
            throw new ArgumentOutOfRangeException(nameof(statusCode), statusCode, "The status of an answer is a number from 200 to 599.");
        }

        return new ScriptedReply(ScriptedReplyKind.Answer) { StatusCode = statusCode, ContentType = contentType, Body = body };
    }
}

/// <summary>What a reply is at bottom.</summary>
internal enum ScriptedReplyKind
{
    Answer,
    Reset,
    Garbage,
}
