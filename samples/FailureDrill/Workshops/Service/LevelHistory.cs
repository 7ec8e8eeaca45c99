using ResilientHost;

namespace FailureDrill.Workshops.Service;

/// <summary>The service levels that the workshop has been at, in order.</summary>
internal sealed class LevelHistory
{
    private readonly Lock _gate = new();
    private readonly List<ServiceLevel> _levels;

    public LevelHistory(IServiceLevel level)
    {
        _levels = [level.Current];
        level.Changed += change =>
        {
            lock (_gate)
            {
                _levels.Add(change.To);
            }
        };
    }

    public IReadOnlyList<string> Read()
    {
        lock (_gate)
        {
            return [.. _levels.Select(level => level.ToString())];
        }
    }
}
