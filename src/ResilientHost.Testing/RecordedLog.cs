using Microsoft.Extensions.Logging;

namespace ResilientHost.Testing;

/// <summary>One log entry.</summary>
/// <param name="Category">Category of the logger.</param>
/// <param name="Level">The level.</param>
/// <param name="EventId">The event's id and name.</param>
/// <param name="Message">The formatted message.</param>
/// <param name="Exception">The exception, if one was logged.</param>
/// <param name="State">Names and values of the message's placeholders, copied when the entry was written.</param>
/// <param name="Scopes">The scopes around the entry, outermost first; a scope of names and values is a copied list of pairs.</param>
public sealed record RecordedLog(
    string Category,
    LogLevel Level,
    EventId EventId,
    string Message,
    Exception? Exception,
    IReadOnlyList<KeyValuePair<string, object?>> State,
    IReadOnlyList<object?> Scopes)
{
    /// <summary>The value of a placeholder of the message, else of a name in the scopes, innermost first; <see langword="null"/> when there is none.</summary>
    /// <param name="name">Name of the placeholder, compared ordinally.</param>
    /// <returns>The value.</returns>
    public object? ValueOf(string name)
    {
        if (Find(State, name, out var value))
        {
            return value;
        }

        for (var i = Scopes.Count - 1; i >= 0; i--)
        {
            if (Scopes[i] is IReadOnlyList<KeyValuePair<string, object?>> pairs && Find(pairs, name, out value))
            {
                return value;
            }
        }

        return null;
    }

    private static bool Find(IReadOnlyList<KeyValuePair<string, object?>> pairs, string name, out object? value)
    {
        foreach (var pair in pairs)
        {
            if (string.Equals(pair.Key, name, StringComparison.Ordinal))
            {
                value = pair.Value;
                return true;
            }
        }

        value = null;
        return false;
    }
}
