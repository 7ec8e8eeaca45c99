using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Template;

namespace ResilientHost.Testing;

/// <summary>A method and a path pattern of a <see cref="ScriptedServer"/>, the script that answers them, and the requests that came.</summary>
/// <remarks>
/// Thread-safe. A new script takes over at once and begins at its first step; requests that are being answered keep the reply they have. Requests that
/// arrive at the same time take the steps in no particular order, each its own.
/// </remarks>
public sealed class ScriptedRoute
{
    private readonly Lock _gate = new();
    private readonly ScriptedServer _server;
    private readonly TemplateMatcher? _matcher;
    private ScriptedSequence? _script;
    private TaskCompletionSource _release = NewRelease();
    private long _requests;
    private int _inFlight;

    internal ScriptedRoute(ScriptedServer server, string method, string path, RouteTemplate? template)
    {
        _server = server;
        Method = method;
        Path = path;
        Precedence = template is null ? decimal.MaxValue : RoutePrecedence.ComputeInbound(template);
        _matcher = template is null ? null : new TemplateMatcher(template, []);
    }

    /// <summary>The method, in capitals; <c>*</c> for any.</summary>
    public string Method { get; }

    /// <summary>The path pattern; <c>*</c> for any.</summary>
    public string Path { get; }

    /// <summary>Number of requests that this route took, since the start or the last <see cref="ScriptedServer.Clear"/>.</summary>
    public long RequestCount
    {
        get
        {
            lock (_server.Recording)
            {
                return _requests;
            }
        }
    }

    /// <summary>Number of recorded requests that are being answered: delayed, held, or in the middle of their answer.</summary>
    public int InFlight => Volatile.Read(ref _inFlight);

    /// <summary>The requests that this route took and that are still kept, in the order they were recorded; a copy.</summary>
    public IReadOnlyList<ScriptedRequest> Requests => [.. _server.Requests.Where(request => request.Route == this)];

    internal decimal Precedence { get; }

    /// <summary>Answers with these replies, one a request, and from then on with the last of them.</summary>
    /// <param name="replies">The steps; at least one. They replace the script that stood.</param>
    /// <returns>This route.</returns>
    /// <exception cref="ArgumentException">There is no step, or one is <see langword="null"/>.</exception>
    public ScriptedRoute Replies(params ReadOnlySpan<ScriptedReply> replies) => Play(replies, ScriptedSequenceEnd.RepeatLast);

    /// <summary>Answers with these replies, one a request, again and again.</summary>
    /// <param name="replies">The steps; at least one. They replace the script that stood.</param>
    /// <returns>This route.</returns>
    /// <exception cref="ArgumentException">There is no step, or one is <see langword="null"/>.</exception>
    public ScriptedRoute RepliesInCycle(params ReadOnlySpan<ScriptedReply> replies) => Play(replies, ScriptedSequenceEnd.Cycle);

    /// <summary>
    /// Answers with these replies, one a request; every further request gets a 501 with a text that says so and the header
    /// <c>Scripted-Server: exhausted</c>, and is recorded as not <see cref="ScriptedRequest.IsScripted"/>.
    /// </summary>
    /// <param name="replies">The steps; at least one. They replace the script that stood.</param>
    /// <returns>This route.</returns>
    /// <exception cref="ArgumentException">There is no step, or one is <see langword="null"/>.</exception>
    public ScriptedRoute RepliesOnce(params ReadOnlySpan<ScriptedReply> replies) => Play(replies, ScriptedSequenceEnd.Fail);

    /// <summary>Lets the requests recorded so far go on that wait by <see cref="ScriptedReply.WhenReleased"/>; later ones wait for the next call.</summary>
    public void Release()
    {
        TaskCompletionSource release;
        lock (_gate)
        {
            release = _release;
            _release = NewRelease();
        }

        release.SetResult();
    }

    /// <summary>Waits until this route has taken a number of requests.</summary>
    /// <param name="count">How many, counted since the start or the last <see cref="ScriptedServer.Clear"/>; at least 1.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <returns>The requests that are kept, in the order they were recorded.</returns>
    /// <exception cref="TimeoutException">They did not come within <see cref="ScriptedServerOptions.WaitTimeout"/>.</exception>
    /// <exception cref="OperationCanceledException">The wait was cancelled.</exception>
    public async Task<IReadOnlyList<ScriptedRequest>> WaitForRequestsAsync(int count, CancellationToken cancellationToken = default)
    {
        await _server.WaitAsync(count, () => RequestCount, $" for {this}", cancellationToken);
        return Requests;
    }

    /// <summary>Method and path pattern.</summary>
    /// <returns>Such as <c>GET /stock/{sku}</c>.</returns>
    public override string ToString() => _matcher is null ? "Default" : $"{Method} {Path}";

    internal bool Matches(string method, string path) =>
        (Method == "*" || string.Equals(Method, method, StringComparison.OrdinalIgnoreCase)) && (_matcher is null || _matcher.TryMatch(path, []));

    /// <summary>Takes the next step; <see langword="null"/> when the route has no script and leaves the request to others.</summary>
    internal ScriptedTurn? TryTake()
    {
        lock (_gate)
        {
            if (_script is null)
            {
                return null;
            }

            // Taken together with the step: whoever sees the request recorded and releases then, releases it.
            return _script.Next() is { } reply
                ? new ScriptedTurn(this, reply, _release.Task, true)
                : new ScriptedTurn(this, Unscripted("exhausted", $"The script of {this} is exhausted: {_script}. Add replies, or use Replies(…) to repeat the last one."), Task.CompletedTask, false);
        }
    }

    internal static ScriptedReply Unscripted(string why, string text) =>
        ScriptedReply.Text($"ScriptedServer: {text}\n", 501).WithHeader("Scripted-Server", why);

    /// <summary>Counts a request; the server holds its lock.</summary>
    internal void Begin()
    {
        _requests++;
        Interlocked.Increment(ref _inFlight);
    }

    internal void End() => Interlocked.Decrement(ref _inFlight);

    /// <summary>Counts anew; the server holds its lock.</summary>
    internal void ClearCount() => _requests = 0;

    internal void Forget()
    {
        lock (_gate)
        {
            _script = null;
        }
    }

    private static TaskCompletionSource NewRelease() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private ScriptedRoute Play(ReadOnlySpan<ScriptedReply> replies, ScriptedSequenceEnd end)
    {
        if (replies.IsEmpty)
        {
            throw new ArgumentException($"The script of {this} has no reply: give at least one, such as ScriptedReply.Status(200).", nameof(replies));
        }

        if (replies.Contains(null!))
        {
            throw new ArgumentException($"The script of {this} has a reply that is null.", nameof(replies));
        }

        var script = new ScriptedSequence(replies.ToArray(), end);
        lock (_gate)
        {
            _script = script;
        }

        return this;
    }
}

/// <summary>What one request gets.</summary>
internal sealed record ScriptedTurn(ScriptedRoute? Route, ScriptedReply Reply, Task Released, bool IsScripted);
