using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using ResilientHost.Fallbacks;

namespace ResilientHost.Recovery;

/// <summary>Tells the exceptions of a client that left from failures of ours.</summary>
internal static class ClientPresence
{
    private const int MaxInner = 8;

    /// <summary>Whether the client has left and the exception is what that looks like from inside.</summary>
    public static bool HasLeft(HttpContext context, Exception exception, RecoveryScope scope)
    {
        // The server throws this while it reads from a connection that was reset, before it cancels RequestAborted. Nobody else does.
        if (exception is ConnectionResetException)
        {
            return true;
        }

        try
        {
            return (scope.ClientAborted ?? context.RequestAborted).IsCancellationRequested
                ? IsConsequence(exception)
                : exception is IOException and not BadHttpRequestException && IsBodyBroken(context.Request);
        }
        catch (Exception)
        {
            // A request that is already torn down cannot tell any more; then it is a failure like any other.
            return false;
        }
    }

    // Over HTTP/2 the server breaks the body of a stream that the client reset, and cancels RequestAborted a moment later on another
    // thread: an endpoint that reads sees the exception first. A broken body throws again at once; a sound one gives what it has.
    private static bool IsBodyBroken(HttpRequest request)
    {
        if (request.Body is ReplayableRequestBody { IsBroken: true })
        {
            // The reader of a body that is kept for a fallback is not the server's, and would not know.
            return true;
        }

        try
        {
            if (request.BodyReader.TryRead(out var read))
            {
                request.BodyReader.AdvanceTo(read.Buffer.Start);
            }

            return false;
        }
        catch (Exception error)
        {
            return error is IOException and not BadHttpRequestException or OperationCanceledException;
        }
    }

    private static bool IsConsequence(Exception exception)
    {
        return exception is IOException || IsCancellation(exception);
    }

    /// <summary>Whether an exception is what a cancelled request looks like from inside.</summary>
    public static bool IsCancellation(Exception exception)
    {
        // Drivers and HttpClient wrap the cancellation. An inner IOException is not taken as one: it may be a failing disk.
        Exception? current = exception;
        for (var depth = 0; current is not null && depth < MaxInner; depth++)
        {
            if (current is OperationCanceledException or ConnectionResetException)
            {
                return true;
            }

            current = current.InnerException;
        }

        return false;
    }
}
