using System.Runtime.ExceptionServices;

namespace ResilientHost.Workers;

/// <summary>The one handler that a process may have for exceptions that nothing caught, shared by its hosts.</summary>
/// <remarks>It cannot be taken back: once set, it asks the hosts that are alive, and lets the exception end the process when none takes it.</remarks>
internal static class UnhandledExceptions
{
    private static readonly Lock Gate = new();
    private static Func<Exception, bool>[] _hosts = [];
    private static bool _isSet;

    /// <param name="contain">Whether the exception is contained. Of one that is not, the runtime may ask twice.</param>
    /// <exception cref="InvalidOperationException">Somebody else has the handler.</exception>
    public static void Subscribe(Func<Exception, bool> contain)
    {
        lock (Gate)
        {
            if (!_isSet)
            {
                SetHandler();
                _isSet = true;
            }

            _hosts = [.. _hosts, contain];
        }
    }

    public static void Unsubscribe(Func<Exception, bool> contain)
    {
        lock (Gate)
        {
            _hosts = [.. _hosts.Where(host => host != contain)];
        }
    }

    /// <summary>Asks every host: nobody can tell whose exception it was. Must not throw.</summary>
    internal static bool Handle(Exception exception)
    {
        var isContained = false;
        foreach (var contain in Volatile.Read(ref _hosts))
        {
            try
            {
                isContained |= contain(exception);
            }
            catch (Exception)
            {
                // What is thrown from here ends the process in place of the decision. The others still have theirs.
            }
        }

        return isContained;
    }

    private static void SetHandler()
    {
        try
        {
            ExceptionHandling.SetUnhandledExceptionHandler(Handle);
        }
        catch (InvalidOperationException exception)
        {
            throw new InvalidOperationException(
                $"Resilience:Workers:{nameof(NamedWorkerOptions.ContainUnhandledExceptions)} is on, but exceptions that nothing catches cannot be contained: another component of this process has called "
                + $"{nameof(ExceptionHandling)}.{nameof(ExceptionHandling.SetUnhandledExceptionHandler)} before, and a process has one such handler. Remove that call, or turn the option off.",
                exception);
        }
    }
}
