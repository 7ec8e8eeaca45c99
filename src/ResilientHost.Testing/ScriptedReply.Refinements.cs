using System.Buffers;

namespace ResilientHost.Testing;

/// <content>What refines a reply.</content>
public sealed partial class ScriptedReply
{
    private static readonly SearchValues<char> TokenCharacters =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    private static readonly SearchValues<char> ValueCharacters =
        SearchValues.Create([(char)9, .. Enumerable.Range(32, 95).Select(static code => (char)code)]);

    /// <summary>Adds a header; one that is there already gets one more value, except <c>Content-Type</c>, which is replaced.</summary>
    /// <param name="name">Name of the header. <c>Connection: close</c> ends the connection after the answer.</param>
    /// <param name="value">Its value: printable ASCII.</param>
    /// <returns>The refined reply.</returns>
    /// <exception cref="ArgumentException">Name or value cannot be sent, or the header frames the answer, which is the server's to set.</exception>
    /// <exception cref="InvalidOperationException">The reply is no answer: it has no headers.</exception>
    public ScriptedReply WithHeader(string name, string value)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(value);
        ThrowIfNoAnswer("headers");
        if (name.AsSpan().ContainsAnyExcept(TokenCharacters))
        {
            throw new ArgumentException($"'{name}' is no name of a header: use letters, digits and hyphens.", nameof(name));
        }

        if (IsHeader("Content-Length") || IsHeader("Transfer-Encoding"))
        {
            throw new ArgumentException($"{name} is set by the server. To send less than was announced, use {nameof(TruncatedAfter)} or {nameof(ResetAfter)}.", nameof(name));
        }

        ThrowIfUnsendable(name, value, nameof(value));
        return IsHeader("Content-Type")
            ? new ScriptedReply(this) { ContentType = value }
            : new ScriptedReply(this) { Headers = [.. Headers, new(name, value)] };

        bool IsHeader(string other) => string.Equals(name, other, StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>Lets the reply begin only some time after the request was read.</summary>
    /// <param name="delay">
    /// From zero to a day, on the server's <see cref="ScriptedServerOptions.TimeProvider"/>. Its timer is armed before the request is recorded: after
    /// <see cref="ScriptedServer.WaitForRequestsAsync"/> manual time can be advanced.
    /// </param>
    /// <returns>The refined reply; an earlier delay is replaced.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The delay is out of bounds.</exception>
    public ScriptedReply WithDelay(TimeSpan delay)
    {
        ThrowIfNoDuration(delay, nameof(delay));
        return new ScriptedReply(this) { Delay = delay };
    }

    /// <summary>Lets the reply begin only when <see cref="ScriptedRoute.Release"/> or <see cref="ScriptedServer.Release"/> says so, and not before its delay is over.</summary>
    /// <returns>The refined reply.</returns>
    public ScriptedReply WhenReleased() => new(this) { IsHeld = true };

    /// <summary>Sends the body slowly: a chunk at once, then a pause and a chunk, to the end. A body that is cut has a pause before the cut, too.</summary>
    /// <param name="chunkBytes">Bytes of a chunk; at least 1.</param>
    /// <param name="pause">
    /// From zero to a day, on the server's <see cref="ScriptedServerOptions.TimeProvider"/>. Its timer is armed before a chunk is sent: once a client has a
    /// chunk, manual time can be advanced to the next.
    /// </param>
    /// <returns>The refined reply.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A value is out of bounds.</exception>
    /// <exception cref="InvalidOperationException">The reply has no body.</exception>
    public ScriptedReply InChunks(int chunkBytes, TimeSpan pause)
    {
        ThrowIfNoBody(nameof(InChunks));
        ArgumentOutOfRangeException.ThrowIfLessThan(chunkBytes, 1);
        ThrowIfNoDuration(pause, nameof(pause));
        return new ScriptedReply(this) { ChunkBytes = chunkBytes, Pause = pause };
    }

    /// <summary>
    /// Announces the whole body, sends its beginning and closes the connection in good order (TCP <c>FIN</c>). Over HTTP/2, where a connection is shared, the
    /// stream is reset instead.
    /// </summary>
    /// <remarks>
    /// Over HTTP/2 an <see cref="HttpClient"/> drops what it has received and not yet handed on when it learns of the reset. Use <see cref="InChunks"/>, whose
    /// pause before the cut gives a test the time to read.
    /// </remarks>
    /// <param name="bodyBytes">Bytes of the body that are sent: from 0 to one less than the body has.</param>
    /// <returns>The refined reply.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There would be nothing to cut.</exception>
    /// <exception cref="InvalidOperationException">The reply has no body, or is cut already.</exception>
    public ScriptedReply TruncatedAfter(int bodyBytes) => Cut(bodyBytes, byReset: false, nameof(TruncatedAfter));

    /// <summary>
    /// Announces the whole body, sends its beginning and resets the connection (TCP <c>RST</c>). Over HTTP/2 this ends all requests of the connection.
    /// </summary>
    /// <remarks>
    /// A reset overtakes what the client's system has no room for: of a beginning of more than some 30,000 bytes a slow reader may miss the end, unless
    /// <see cref="InChunks"/> gives it the time. Over HTTP/2 an <see cref="HttpClient"/> may then miss even status and headers.
    /// </remarks>
    /// <param name="bodyBytes">Bytes of the body that are sent: from 0 to one less than the body has.</param>
    /// <returns>The refined reply.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There would be nothing to cut.</exception>
    /// <exception cref="InvalidOperationException">The reply has no body, or is cut already.</exception>
    public ScriptedReply ResetAfter(int bodyBytes) => Cut(bodyBytes, byReset: true, nameof(ResetAfter));

    /// <summary>Makes several steps of one: the reply is given that many times in a row.</summary>
    /// <param name="count">At least 1.</param>
    /// <returns>The refined reply; an earlier number is replaced.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The number is less than 1.</exception>
    public ScriptedReply Times(int count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        return new ScriptedReply(this) { Repeats = count };
    }

    private static void ThrowIfUnsendable(string name, string value, string parameter)
    {
        if (value.AsSpan().ContainsAnyExcept(ValueCharacters))
        {
            throw new ArgumentException($"The value of {name} has characters that HTTP does not send: use printable ASCII, escape the rest.", parameter);
        }
    }

    private static void ThrowIfNoDuration(TimeSpan value, string parameter)
    {
        if (value < TimeSpan.Zero || value > MaxDelay)
        {
            throw new ArgumentOutOfRangeException(
                parameter, value, $"The time to wait is from zero to {MaxDelay.TotalDays} day. To wait until the test says so, use {nameof(WhenReleased)}.");
        }
    }

    private ScriptedReply Cut(int bodyBytes, bool byReset, string method)
    {
        ThrowIfNoBody(method);
        if (CutAfter is not null)
        {
            throw new InvalidOperationException($"The body is cut already: use one of {nameof(TruncatedAfter)} and {nameof(ResetAfter)}, once.");
        }

        if (bodyBytes < 0 || bodyBytes >= Body.Length)
        {
            throw new ArgumentOutOfRangeException(
                nameof(bodyBytes), bodyBytes, $"The body has {Body.Length} bytes: to cut it, send from 0 to {Body.Length - 1} of them.");
        }

        return new ScriptedReply(this) { CutAfter = bodyBytes, CutsByReset = byReset };
    }

    private void ThrowIfNoAnswer(string what)
    {
        if (Kind != ScriptedReplyKind.Answer)
        {
            throw new InvalidOperationException($"{Kind}() sends no HTTP and has no {what}: begin with {nameof(Status)}, {nameof(Text)}, {nameof(Json)} or {nameof(Bytes)}.");
        }
    }

    private void ThrowIfNoBody(string method)
    {
        ThrowIfNoAnswer("body");
        if (Body.IsEmpty)
        {
            throw new InvalidOperationException($"{method} needs a body: begin with {nameof(Text)}, {nameof(Json)} or {nameof(Bytes)}, not empty.");
        }
    }
}
