using System.Collections;
using System.Globalization;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace ResilientHost.IsolatedTasks;

/// <summary>Reads the log scopes around a call and puts copies of them around other code.</summary>
/// <remarks>
/// <para>
/// Takes part in logging as a provider that writes nothing, for a provider is who is given the factory's scopes. A logger factory that is not the framework's and keeps its scopes to itself has none to copy.
/// </para>
/// <para>Copies, because a scope may belong to a request: the server's own enumerates the <c>HttpContext</c>, which is another request's by the time the task logs. Thread-safe.</para>
/// </remarks>
[ProviderAlias("ResilientHostScopes")]
internal sealed class LogScopes : ILoggerProvider, ISupportExternalScope
{
    private const int MaxScopes = 32;
    private volatile IExternalScopeProvider? _scopes;

    public ILogger CreateLogger(string categoryName) => NullLogger.Instance;

    public void SetScopeProvider(IExternalScopeProvider scopeProvider) => _scopes = scopeProvider;

    public void Dispose()
    {
        // Nothing is held.
    }

    /// <summary>Copies of the scopes around the caller, outermost first. What a scope throws costs that scope.</summary>
    public IReadOnlyList<object> Copy()
    {
        List<object>? copies = null;
        try
        {
            _scopes?.ForEachScope(
                (scope, _) =>
                {
                    if (scope is not null && !IsOfActivity(scope) && (copies?.Count ?? 0) < MaxScopes && TryCopy(scope) is { } copy)
                    {
                        (copies ??= []).Add(copy);
                    }
                },
                state: (object?)null);
        }
        catch (Exception)
        {
            // Someone else's scope provider: what was read so far is carried.
        }

        return copies ?? (IReadOnlyList<object>)[];
    }

    /// <summary>Puts scopes around the rest of the calling asynchronous method.</summary>
    public void Push(object scope)
    {
        try
        {
            _ = _scopes?.Push(scope);
        }
        catch (Exception)
        {
            // As in Copy.
        }
    }

    /// <summary>A scope of one name and value.</summary>
    public static object Pair(string name, string value) => new ScopeCopy([new(name, value)], text: null);

    // The factory tells span and trace of Activity.Current as a scope of its own; the task has a span of its own.
    private static bool IsOfActivity(object scope) => scope.GetType().Assembly == typeof(LoggerFactory).Assembly;

    private static object? TryCopy(object scope)
    {
        try
        {
            return scope is IEnumerable<KeyValuePair<string, object?>> pairs ? ScopeCopy.Of(scope, pairs) : Frozen(scope);
        }
        catch (Exception)
        {
            return null;
        }
    }

    /// <summary>The value itself where nobody can change it, else its text.</summary>
    private static object? Frozen(object? value) => value switch
    {
        null or string => value,
        ValueType when value.GetType() is { IsPrimitive: true } or { IsEnum: true } => value,
        decimal or Guid or DateTime or DateTimeOffset or TimeSpan or DateOnly or TimeOnly => value,
        _ => Convert.ToString(value, CultureInfo.InvariantCulture),
    };

    /// <summary>Names and values as they were, and the text that providers show which know no names.</summary>
    private sealed class ScopeCopy : IReadOnlyList<KeyValuePair<string, object?>>
    {
        private const int MaxPairs = 64;
        private const string Template = "{OriginalFormat}";

        private readonly KeyValuePair<string, object?>[] _pairs;
        private string? _text;

        public ScopeCopy(KeyValuePair<string, object?>[] pairs, string? text) => (_pairs, _text) = (pairs, text);

        public int Count => _pairs.Length;

        public KeyValuePair<string, object?> this[int index] => _pairs[index];

        public static ScopeCopy Of(object scope, IEnumerable<KeyValuePair<string, object?>> pairs)
        {
            KeyValuePair<string, object?>[] copies = [.. pairs.Take(MaxPairs).Select(pair => KeyValuePair.Create(pair.Key, Frozen(pair.Value)))];
            return new(copies, copies.Any(pair => pair.Key == Template) ? scope.ToString() : null);
        }

        public IEnumerator<KeyValuePair<string, object?>> GetEnumerator() => ((IEnumerable<KeyValuePair<string, object?>>)_pairs).GetEnumerator();

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

        public override string ToString() => _text ??= string.Join(' ', _pairs.Select(pair => $"{pair.Key}:{pair.Value}"));
    }
}
