namespace ResilientHost.IsolatedTasks;

/// <summary>The tasks of one name that live, oldest first. All members but <see cref="Name"/> under the runner's lock.</summary>
internal sealed class IsolatedTaskTrack(string name)
{
    private IsolatedTask? _youngest;

    public string Name { get; } = name;

    public int Live { get; private set; }

    public IsolatedTask? Oldest { get; private set; }

    public LeakDetector Leak { get; } = new();

    public void Add(IsolatedTask task)
    {
        task.Older = _youngest;
        if (_youngest is null)
        {
            Oldest = task;
        }
        else
        {
            _youngest.Younger = task;
        }

        _youngest = task;
        Live++;
    }

    public void Remove(IsolatedTask task)
    {
        if (task.Older is null)
        {
            Oldest = task.Younger;
        }
        else
        {
            task.Older.Younger = task.Younger;
        }

        if (task.Younger is null)
        {
            _youngest = task.Older;
        }
        else
        {
            task.Younger.Older = task.Older;
        }

        task.Older = task.Younger = null;
        Live--;
        Leak.Fell(Live);
    }
}
