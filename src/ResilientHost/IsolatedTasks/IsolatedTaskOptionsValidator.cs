using Microsoft.Extensions.Hosting;

namespace ResilientHost.IsolatedTasks;

/// <summary>The bounds of <see cref="IsolatedTaskOptions"/>; all errors at once.</summary>
internal static class IsolatedTaskOptionsValidator
{
    private const int Most = 1_000_000;
    private static readonly TimeSpan LongestDrain = TimeSpan.FromHours(1);
    private static readonly TimeSpan ShortestWindow = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestWindow = TimeSpan.FromDays(1);

    /// <summary>What is wrong with the options; the environment makes no difference to them.</summary>
    public static IEnumerable<string> Errors(IsolatedTaskOptions options, IHostEnvironment? environment)
    {
        _ = environment;
        foreach (var (name, value, least) in new[]
        {
            (nameof(options.MaxTasks), options.MaxTasks, 1),
            (nameof(options.MaxTasksPerName), options.MaxTasksPerName, 1),
            (nameof(options.LeakThreshold), options.LeakThreshold, 2),
        })
        {
            if (value < least || value > Most)
            {
                yield return $"IsolatedTasks: {name} must be from {least} to {Most} (tasks), but is {value}.";
            }
        }

        if (options.DrainTimeout < TimeSpan.Zero || options.DrainTimeout > LongestDrain)
        {
            yield return $"IsolatedTasks: {nameof(options.DrainTimeout)} must be from 00:00:00 to {LongestDrain:c} (hh:mm:ss), but is {options.DrainTimeout:c}.";
        }

        if (options.LeakWindow < ShortestWindow || options.LeakWindow > LongestWindow)
        {
            yield return $"IsolatedTasks: {nameof(options.LeakWindow)} must be from {ShortestWindow:c} to {LongestWindow:c} (d.hh:mm:ss), but is {options.LeakWindow:c}.";
        }
    }
}
