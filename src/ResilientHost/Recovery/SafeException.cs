using System.Diagnostics;
using System.Globalization;
using System.Text;
using ResilientHost.Refusals;

namespace ResilientHost.Recovery;

/// <summary>Looks at exceptions whose members may throw, be huge, or carry control characters.</summary>
internal static class SafeException
{
    public const int MaxMessageLength = 8 * 1024;
    public const int MaxTextLength = 64 * 1024;
    private const int MaxStackLength = 16 * 1024;
    private const int MaxInner = 8;

    /// <summary>The exception itself when a logging provider can render it safely, so that error trackers see the original; else a rendered stand-in.</summary>
    public static Exception ForLogger(Exception exception) => IsHarmless(exception) ? exception : new RenderedException(TypeNames.Of(exception), MessageOf(exception), Render(exception));

    /// <summary>Type, message and stack for an answer in Development.</summary>
    public static ExceptionDetails Details(Exception exception) => new(TypeNames.Of(exception), MessageOf(exception), StackOf(exception));

    private static bool IsHarmless(Exception exception)
    {
        try
        {
            var remaining = MaxInner;
            if (!AreMessagesHarmless(exception, ref remaining))
            {
                return false;
            }

            // What a provider will print. Rendered once more than needed, but only for the first of a storm.
            var text = exception.ToString();
            return text is not null && text.Length <= MaxTextLength && !LogText.NeedsEscape(text, allowLineEnds: true);
        }
        catch (Exception)
        {
            // A member that throws here would throw inside the provider.
            return false;
        }
    }

    private static bool AreMessagesHarmless(Exception exception, ref int remaining)
    {
        for (var current = exception; current is not null; current = current.InnerException)
        {
            if (remaining-- <= 0 || current.Message is not { Length: <= MaxMessageLength } message || LogText.NeedsEscape(message, allowLineEnds: false))
            {
                return false;
            }

            if (current is AggregateException aggregate)
            {
                foreach (var inner in aggregate.InnerExceptions)
                {
                    if (!AreMessagesHarmless(inner, ref remaining))
                    {
                        return false;
                    }
                }

                return true;
            }
        }

        return true;
    }

    private static string Render(Exception exception)
    {
        var builder = new StringBuilder();
        var current = exception;
        for (var depth = 0; current is not null && depth < MaxInner && builder.Length < MaxTextLength; depth++)
        {
            builder.Append(CultureInfo.InvariantCulture, $"{(depth == 0 ? "" : " ---> ")}{TypeNames.Of(current)}: {MessageOf(current)}\n{StackOf(current)}\n");
            current = current.InnerException;
        }

        return LogText.CleanLines(builder.ToString(), MaxTextLength);
    }

    private static string MessageOf(Exception exception)
    {
        try
        {
            return LogText.Clean(exception.Message, MaxMessageLength);
        }
        catch (Exception failure)
        {
            return $"(the message cannot be read: {TypeNames.Of(failure)})";
        }
    }

    private static string StackOf(Exception exception)
    {
        try
        {
            // Not Exception.StackTrace, which is virtual.
            return LogText.CleanLines(new StackTrace(exception, fNeedFileInfo: true).ToString().TrimEnd(), MaxStackLength);
        }
        catch (Exception failure)
        {
            return $"(the stack cannot be read: {TypeNames.Of(failure)})";
        }
    }

    /// <summary>Stands in for an exception that cannot be shown as it is.</summary>
    private sealed class RenderedException(string type, string message, string text) : Exception($"{type}: {message}")
    {
        public override string ToString() => text;
    }
}
