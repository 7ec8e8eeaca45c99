using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;

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
            return (scope.ClientAborted ?? context.RequestAborted).IsCancellationRequested && IsConsequence(exception);
        }
        catch (Exception)
        {
            // A request that is already torn down cannot tell any more; then it is a failure like any other.
            return false;
        }
    }

    private static bool IsConsequence(Exception exception)
    {
        if (exception is IOException)
        {
            return true;
        }

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
