using System.Globalization;
using ResilientHost.Hosting;

namespace ResilientHost.Workers;

/// <summary>The bounds of <see cref="WorkerOptions"/> and <see cref="WorkerGroupOptions"/>; all errors at once.</summary>
internal static class WorkerOptionsValidator
{
    private const string OrNull = ", or null";
    private static readonly TimeSpan OneMillisecond = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan OneDay = TimeSpan.FromDays(1);

    public static IEnumerable<string> Errors(string name, WorkerOptions options) => Rules(options).Select(rule => $"Worker '{name}': {rule}");

    public static IEnumerable<string> GroupErrors(string name, WorkerGroupOptions options) =>
        OptionBounds.Of(nameof(options.Strategy), options.Strategy)
            .Concat(LimitRules(options.MaxRestarts, options.RestartWindow, options.FailureThreshold, options.FailureDecay))
            .Concat(OptionBounds.Of(nameof(options.OnGiveUp), options.OnGiveUp, OrNull))
            .Select(rule => $"Worker group '{name}': {rule}");

    /// <summary>Names that workers refer to and that configuration does not have.</summary>
    public static void FindUnknownNames(ResilienceOptions options, ConfigurationProblems problems)
    {
        foreach (var (name, worker) in options.Workers.Resolved.Prepend(new(NamedOptions<WorkerOptions>.DefaultName, options.Workers.Default)))
        {
            var path = $"{options.Workers.Path}:{name}";
            Check(nameof(worker.Group), worker.Group, options.WorkerGroups.Names, options.WorkerGroups.Path);
            Check(nameof(worker.CircuitBreaker), worker.CircuitBreaker, options.CircuitBreakers.Names, options.CircuitBreakers.Path);
            Check(nameof(worker.Bulkhead), worker.Bulkhead, options.Bulkheads.Names, options.Bulkheads.Path);

            void Check(string property, string? value, IReadOnlyCollection<string> names, string section)
            {
                if (!string.IsNullOrWhiteSpace(value) && !names.Contains(value.Trim(), StringComparer.OrdinalIgnoreCase))
                {
                    var hint = ConfigurationText.Closest(value, names) is { } meant ? $"; did you mean {meant}?" : ".";
                    problems.Add(path, $"{path}:{property} must be a name of {section} ({string.Join(", ", names.DefaultIfEmpty("there are none"))}), but is {ConfigurationText.Quote(value)}{hint}");
                }
            }
        }
    }

    private static IEnumerable<string> Rules(WorkerOptions o) =>
        OptionBounds.Of(nameof(o.Restart), o.Restart)
            .Concat(LimitRules(o.MaxRestarts, o.RestartWindow, o.FailureThreshold, o.FailureDecay))
            .Concat(OptionBounds.Of(nameof(o.RestartDelay), o.RestartDelay, TimeSpan.Zero, OneDay))
            .Concat(OptionBounds.Of(nameof(o.RestartBackoff), o.RestartBackoff, 1, 100, ""))
            .Concat(LongestDelay(o))
            .Concat(OptionBounds.Of(nameof(o.RestartJitter), o.RestartJitter, 0, 1, ""))
            .Concat(OptionBounds.Of(nameof(o.Criticality), o.Criticality))
            .Concat(OptionBounds.Of(nameof(o.OnGiveUp), o.OnGiveUp, OrNull))
            .Concat(OptionBounds.Of(nameof(o.HeartbeatTimeout), o.HeartbeatTimeout, TimeSpan.FromMilliseconds(10), OneDay, OrNull))
            .Concat(Replacement(o))
            .Concat(OptionBounds.Of(nameof(o.MaxAbandoned), o.MaxAbandoned, 0, 100, "runs"))
            .Concat(OptionBounds.Of(nameof(o.PauseAt), o.PauseAt, OrNull))
            .Concat(OptionBounds.Of(nameof(o.StopTimeout), o.StopTimeout, TimeSpan.Zero, TimeSpan.FromHours(1)));

    private static IEnumerable<string> LimitRules(int maxRestarts, TimeSpan window, double? threshold, TimeSpan decay) =>
        OptionBounds.Of(nameof(WorkerOptions.MaxRestarts), maxRestarts, 0, 1_000_000, "restarts")
            .Concat(OptionBounds.Of(nameof(WorkerOptions.RestartWindow), window, OneMillisecond, OneDay))
            .Concat(threshold is null or (> 0 and <= 1_000_000)
                ? []
                : [string.Create(CultureInfo.InvariantCulture, $"{nameof(WorkerOptions.FailureThreshold)} must be above 0 and at most 1000000 failures, or null, but is {threshold}.")])
            .Concat(OptionBounds.Of(nameof(WorkerOptions.FailureDecay), decay, OneMillisecond, TimeSpan.FromDays(30)));

    private static IEnumerable<string> LongestDelay(WorkerOptions o)
    {
        if (o.MaxRestartDelay < o.RestartDelay || o.MaxRestartDelay > OneDay)
        {
            yield return $"{nameof(o.MaxRestartDelay)} must be at least {nameof(o.RestartDelay)} ({o.RestartDelay:c}) and at most {OneDay:c} (d.hh:mm:ss), but is {o.MaxRestartDelay:c}.";
        }
    }

    private static IEnumerable<string> Replacement(WorkerOptions o)
    {
        if (o.ReplaceStuck && o.HeartbeatTimeout is null)
        {
            yield return $"{nameof(o.ReplaceStuck)} needs {nameof(o.HeartbeatTimeout)}: without it no run is ever found stuck.";
        }
    }
}
