using System.Globalization;

namespace ResilientHost.WorkItems;

/// <summary>How the items of a channel are processed: what the options said when processing began. Immutable.</summary>
internal sealed class WorkItemPolicy<T>
{
    private const int MostConcurrency = 10_000;
    private const int MostRetries = 1_000;
    private const double MostBackoff = 100;

    // Items that wait for a retry or for their key hold no place, so that others go on; there has to be an end to them all the same.
    private const int LeastWaiting = 256;
    private static readonly TimeSpan Longest = TimeSpan.FromDays(1);

    /// <exception cref="ArgumentException">The options are invalid; says every error.</exception>
    public WorkItemPolicy(WorkItemOptions<T> options, string parameterName)
    {
        var errors = Errors(options).ToList();
        if (errors.Count > 0)
        {
            throw new ArgumentException(string.Join(' ', errors), parameterName);
        }

        Name = options.Name.Trim();
        MaxConcurrency = options.MaxConcurrency;
        MaxRetries = options.MaxRetries;
        RetryDelay = options.RetryDelay;
        RetryBackoff = options.RetryBackoff;
        MaxRetryDelay = options.MaxRetryDelay;
        RetryJitter = options.RetryJitter;
        ShouldRetry = options.ShouldRetry;
        AttemptTimeout = options.AttemptTimeout;
        OrderBy = options.OrderBy;

        // One after the other: a second item that is taken before the first is finished could only overtake it.
        MaxHeld = MaxConcurrency == 1 && OrderBy is null ? 1 : MaxConcurrency + Math.Max(LeastWaiting, MaxConcurrency);
    }

    public string Name { get; }

    public int MaxConcurrency { get; }

    public int MaxRetries { get; }

    public TimeSpan RetryDelay { get; }

    public double RetryBackoff { get; }

    public TimeSpan MaxRetryDelay { get; }

    public double RetryJitter { get; }

    public Func<Exception, bool>? ShouldRetry { get; }

    public TimeSpan? AttemptTimeout { get; }

    public Func<T, object?>? OrderBy { get; }

    /// <summary>Items that may be taken and not finished.</summary>
    public int MaxHeld { get; }

    /// <summary>The delay before the next attempt.</summary>
    /// <param name="failures">Failures, or refusals, in a row, from 1.</param>
    /// <param name="random">For the jitter.</param>
    public TimeSpan DelayAfter(int failures, Random random) => Delay(RetryDelay, RetryBackoff, MaxRetryDelay, RetryJitter, failures, random);

    public static TimeSpan Delay(TimeSpan first, double backoff, TimeSpan longest, double jitter, int failures, Random random)
    {
        // Zero times an infinite factor is no number, and refusals in a row have no end.
        if (first == TimeSpan.Zero)
        {
            return TimeSpan.Zero;
        }

        var plain = first.TotalSeconds * Math.Pow(backoff, failures - 1);
        var seconds = Math.Min(plain, longest.TotalSeconds) * (1 + (jitter * ((2 * random.NextDouble()) - 1)));
        return TimeSpan.FromSeconds(Math.Min(seconds, longest.TotalSeconds));
    }

    private static IEnumerable<string> Errors(WorkItemOptions<T> options)
    {
        var name = options.Name;
        if (string.IsNullOrWhiteSpace(name))
        {
            yield return Error(name, nameof(options.Name), "must not be empty", "\"\"");
        }

        if (options.MaxConcurrency is < 1 or > MostConcurrency)
        {
            yield return Error(name, nameof(options.MaxConcurrency), "must be between 1 and 10000 items", Number(options.MaxConcurrency));
        }

        if (options.MaxRetries is < 0 or > MostRetries)
        {
            yield return Error(name, nameof(options.MaxRetries), "must be between 0 and 1000 retries", Number(options.MaxRetries));
        }

        if (options.RetryDelay < TimeSpan.Zero || options.RetryDelay > Longest)
        {
            yield return Error(name, nameof(options.RetryDelay), "must be between 0 s and 86400 s", Seconds(options.RetryDelay));
        }

        if (options.RetryBackoff is not (>= 1 and <= MostBackoff))
        {
            yield return Error(name, nameof(options.RetryBackoff), "must be between 1 and 100", Number(options.RetryBackoff));
        }

        if (options.MaxRetryDelay < options.RetryDelay || options.MaxRetryDelay > Longest)
        {
            yield return Error(
                name, nameof(options.MaxRetryDelay), $"must be at least RetryDelay ({Seconds(options.RetryDelay)}) and at most 86400 s", Seconds(options.MaxRetryDelay));
        }

        if (options.RetryJitter is not (>= 0 and <= 1))
        {
            yield return Error(name, nameof(options.RetryJitter), "must be between 0 and 1", Number(options.RetryJitter));
        }

        if (options.AttemptTimeout is { } timeout && (timeout < TimeSpan.FromMilliseconds(1) || timeout > Longest))
        {
            yield return Error(name, nameof(options.AttemptTimeout), "must be between 0.001 s and 86400 s, or null for as long as it takes", Seconds(timeout));
        }
    }

    private static string Error(string? name, string property, string rule, string value) => $"Work items '{name}': {property} {rule}, but is {value}.";

    private static string Number(double value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Seconds(TimeSpan value) => string.Create(CultureInfo.InvariantCulture, $"{value.TotalSeconds:0.#######} s");
}
