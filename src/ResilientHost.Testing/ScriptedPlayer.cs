using System.Buffers;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;

namespace ResilientHost.Testing;

/// <summary>The way of one request through a <see cref="ScriptedServer"/>: read, take a step, record, wait, reply.</summary>
internal sealed class ScriptedPlayer(ScriptedServer server, ScriptedServerOptions options, CancellationToken stopping)
{
    public async Task AnswerAsync(HttpContext context)
    {
        using var over = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, stopping);
        ReadOnlyMemory<byte> body;
        long length;
        try
        {
            (body, length) = await ReadBodyAsync(context.Request.Body, over.Token);
        }
        catch (Exception error) when (IsGone(error, over.Token))
        {
            Leave(context);
            return;
        }

        var turn = server.Take(context.Request.Method, context.Request.Path.Value ?? "/");
        var request = Describe(context, turn, body, length);

        // Armed before anyone can see the request: a test that saw it advances manual time at once.
        var due = Task.WhenAll(DelayAsync(turn.Reply.Delay, over.Token), turn.Reply.IsHeld ? turn.Released.WaitAsync(over.Token) : Task.CompletedTask);
        server.Begin(request);
        var end = ScriptedEnd.ClientGone;
        try
        {
            await due;
            await PlayAsync(context, turn.Reply, over.Token);
            end = context.RequestAborted.IsCancellationRequested && !turn.Reply.EndsConnection ? ScriptedEnd.ClientGone : ScriptedEnd.Replied;
        }
        catch (Exception error) when (IsGone(error, over.Token))
        {
            end = stopping.IsCancellationRequested ? ScriptedEnd.ServerStopped : ScriptedEnd.ClientGone;
            Leave(context);
        }
        finally
        {
            // Takes back the timers of delays and pauses that nobody waits for any more.
            await over.CancelAsync();
            server.End(request, end);
        }
    }

    private static bool IsGone(Exception error, CancellationToken over) =>
        error is IOException or ConnectionAbortedException or SocketException or ObjectDisposedException
        || (error is OperationCanceledException && over.IsCancellationRequested);

    private void Leave(HttpContext context)
    {
        if (stopping.IsCancellationRequested)
        {
            AbortConnection(context);
        }
        else
        {
            // The stream alone: over HTTP/2 the client that gave up one request goes on with the others.
            context.Abort();
        }
    }

    private static void AbortConnection(HttpContext context)
    {
        // The connection's feature, as HttpContext.Abort ends the stream alone over HTTP/2.
        context.Features.Get<IConnectionLifetimeFeature>()?.Abort();
        context.Abort();
    }

    private async Task<(ReadOnlyMemory<byte> Kept, long Length)> ReadBodyAsync(Stream stream, CancellationToken cancellationToken)
    {
        using var kept = new MemoryStream();
        var buffer = ArrayPool<byte>.Shared.Rent(16 * 1024);
        try
        {
            var length = 0L;
            while (await stream.ReadAsync(buffer, cancellationToken) is > 0 and var count)
            {
                length += count;
                kept.Write(buffer, 0, (int)Math.Min(count, options.MaxRecordedBodyBytes - kept.Length));
            }

            return (kept.ToArray(), length);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private ScriptedRequest Describe(HttpContext context, ScriptedTurn turn, ReadOnlyMemory<byte> body, long length)
    {
        Dictionary<string, StringValues> headers = new(StringComparer.OrdinalIgnoreCase);
        foreach (var (name, value) in context.Request.Headers)
        {
            headers[name] = value;
        }

        return new ScriptedRequest
        {
            Method = context.Request.Method,
            Path = context.Request.Path.Value ?? "/",
            Query = context.Request.QueryString.Value ?? "",
            Protocol = context.Request.Protocol,
            ConnectionId = context.Features.Get<IHttpConnectionFeature>()?.ConnectionId ?? "",
            Headers = headers,
            Body = body,
            BodyLength = length,
            ReceivedAt = options.TimeProvider.GetUtcNow(),
            Route = turn.Route,
            IsScripted = turn.IsScripted,
        };
    }

    private async Task PlayAsync(HttpContext context, ScriptedReply reply, CancellationToken over)
    {
        switch (reply.Kind)
        {
            case ScriptedReplyKind.Reset:
                ResetConnection(context);
                break;
            case ScriptedReplyKind.Garbage:
                // To the socket itself, below HTTP and TLS; unlike Kestrel's pipe it may be written to from anywhere.
                await Socket(context).SendAsync(reply.Body, over);
                Socket(context).Shutdown(SocketShutdown.Send);
                AbortConnection(context);
                break;
            default:
                await SendAsync(context, reply, over);
                break;
        }
    }

    private async Task SendAsync(HttpContext context, ScriptedReply reply, CancellationToken over)
    {
        var response = context.Response;
        response.StatusCode = reply.StatusCode;
        response.ContentType = reply.ContentType;
        foreach (var (name, value) in reply.Headers)
        {
            response.Headers.Append(name, value);
        }

        if (reply.StatusCode is not (204 or 205 or 304))
        {
            response.ContentLength = reply.Body.Length;
        }

        if (reply.Body.IsEmpty || HttpMethods.IsHead(context.Request.Method))
        {
            return;
        }

        var end = reply.CutAfter ?? reply.Body.Length;
        var chunk = reply.ChunkBytes ?? int.MaxValue;
        for (var sent = 0; sent < end;)
        {
            var now = Math.Min(chunk, end - sent);
            // Armed before the chunk is sent: a client that has it advances manual time at once.
            var pause = sent + now < end || reply.CutAfter is not null ? DelayAsync(reply.Pause, over) : Task.CompletedTask;
            await response.Body.WriteAsync(reply.Body.Slice(sent, now), over);
            await response.Body.FlushAsync(over);
            await pause;
            sent += now;
        }

        await FinishAsync(context, reply, over);
    }

    private static async Task FinishAsync(HttpContext context, ScriptedReply reply, CancellationToken over)
    {
        if (reply.CutAfter is null)
        {
            return;
        }

        await context.Response.Body.FlushAsync(over);
        if (reply.CutsByReset)
        {
            ResetConnection(context);
        }

        // Else Kestrel, which sees that bytes are missing, closes the connection (HTTP/1.1) or resets the stream (HTTP/2).
    }

    private static void ResetConnection(HttpContext context)
    {
        // Without lingering, closing sends a reset.
        Socket(context).LingerState = new LingerOption(enable: true, seconds: 0);
        AbortConnection(context);
    }

    private static Socket Socket(HttpContext context) => context.Features.GetRequiredFeature<IConnectionSocketFeature>().Socket;

    private Task DelayAsync(TimeSpan delay, CancellationToken over) =>
        delay == TimeSpan.Zero ? Task.CompletedTask : Task.Delay(delay, options.TimeProvider, over);
}
