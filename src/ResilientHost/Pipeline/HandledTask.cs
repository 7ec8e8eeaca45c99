namespace ResilientHost.Pipeline;

/// <summary>
/// Tells the outermost catch that the task it was just given is the endpoint hop's own, which never faults: no second async frame
/// is needed around it.
/// </summary>
/// <remarks>
/// The hop returns its task down the same stack that the outermost catch called up. When every middleware in between hands the task
/// on as it is (routing, authorization without requirements, static files …), both see the same object, on the same thread. A
/// middleware that awaits returns another task, and the outermost catch puts its own frame around that one. Where middleware has replaced
/// the response body nothing is marked: it may have to be told of an answer that was cut off.
/// </remarks>
internal static class HandledTask
{
    [ThreadStatic]
    private static Task? _last;

    public static Task Mark(Task task) => _last = task;

    public static bool Take(Task task)
    {
        var last = _last;
        _last = null;
        return ReferenceEquals(last, task);
    }
}
