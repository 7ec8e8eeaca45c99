using System.Diagnostics;
using ResilientHost.Telemetry;

namespace ResilientHost.IsolatedTasks;

/// <summary>What a task keeps of its caller: the trace to link to, the activity's baggage, and the log scopes. Immutable.</summary>
/// <remarks>Not the execution context: that holds the <c>HttpContext</c>, the user, and whatever else must not outlive the request.</remarks>
internal sealed class CarriedContext
{
    private readonly bool _hasCaller;
    private readonly ActivityContext _caller;
    private readonly KeyValuePair<string, string?>[] _baggage;
    private readonly IReadOnlyList<object> _scopes;

    private CarriedContext(Activity? caller, IReadOnlyList<object> scopes)
    {
        _hasCaller = caller is not null;
        _caller = caller?.Context ?? default;
        _baggage = caller is null ? [] : [.. caller.Baggage];
        _scopes = scopes;
    }

    /// <summary>Carries nothing.</summary>
    public static CarriedContext None { get; } = new(caller: null, []);

    /// <summary>The caller's trace, 32 hex digits; <see langword="null"/> when it had none.</summary>
    public string? TraceId => _caller.TraceId == default ? null : _caller.TraceId.ToHexString();

    /// <summary>Reads the caller's. Never throws.</summary>
    public static CarriedContext Capture(LogScopes scopes) => new(Activity.Current, scopes.Copy());

    /// <summary>Puts it around the rest of the calling asynchronous method. Never throws.</summary>
    /// <returns>The task's span, started; <see langword="null"/> when there is neither a listener nor a caller's one.</returns>
    public Activity? Enter(string name, LogScopes scopes)
    {
        foreach (var scope in _scopes)
        {
            scopes.Push(scope);
        }

        scopes.Push(LogScopes.Pair(IsolatedTaskNames.ScopeKey, name));
        try
        {
            return Start(name);
        }
        catch (Exception)
        {
            // An activity listener's failure must not cost the work.
            return null;
        }
    }

    private Activity? Start(string name)
    {
        ActivityLink[]? links = _caller.TraceId == default ? null : [new(_caller)];
        var activity = ResilienceMeter.ActivitySource.CreateActivity(
            ResilienceDiagnostics.Spans.IsolatedTask,
            ActivityKind.Internal,
            parentContext: default,
            tags: [new(ResilienceDiagnostics.Tags.IsolatedTaskName, name)],
            links: links);
        if (activity is null)
        {
            if (!_hasCaller)
            {
                return null;
            }

            // Nobody listens to our spans, but the application traces: its baggage goes on, and its log entries have a trace.
            activity = new Activity(ResilienceDiagnostics.Spans.IsolatedTask);
        }

        // Baggage is told newest first.
        for (var i = _baggage.Length - 1; i >= 0; i--)
        {
            activity.AddBaggage(_baggage[i].Key, _baggage[i].Value);
        }

        return activity.Start();
    }
}
