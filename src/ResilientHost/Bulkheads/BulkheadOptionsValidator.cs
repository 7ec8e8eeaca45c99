using System.Globalization;
using Microsoft.Extensions.Options;
using ResilientHost.Callers;
using ResilientHost.Hosting;

namespace ResilientHost.Bulkheads;

/// <summary>The bounds of <see cref="BulkheadOptions"/>; finds all errors at once.</summary>
internal sealed class BulkheadOptionsValidator : IValidateOptions<BulkheadOptions>
{
    public const int MaxQueueLength = 1_000_000;
    public const int MostPartitions = 1_000_000;
    public const double MaxWeight = 1000;
    public static readonly TimeSpan MaxQueueTimeout = TimeSpan.FromDays(1);

    public ValidateOptionsResult Validate(string? name, BulkheadOptions options)
    {
        var failures = Errors(name ?? string.Empty, options).ToList();
        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }

    public static void ThrowIfInvalid(string name, BulkheadOptions options)
    {
        var failures = Errors(name, options).ToList();
        if (failures.Count > 0)
        {
            throw new OptionsValidationException(name, typeof(BulkheadOptions), failures);
        }
    }

    public static IEnumerable<string> Errors(string name, BulkheadOptions options)
    {
        if (!Enum.IsDefined(options.Mode))
        {
            yield return Failure(name, nameof(options.Mode), "must be Enforce, Shadow or Disabled", Number((int)options.Mode));
        }

        if (options.MaxConcurrency < 1)
        {
            yield return Failure(name, nameof(options.MaxConcurrency), "must be at least 1 call, or null for no limit", Number(options.MaxConcurrency.Value));
        }

        if (options.QueueLength is < 0 or > MaxQueueLength)
        {
            yield return Failure(name, nameof(options.QueueLength), $"must be between 0 and {Number(MaxQueueLength)} calls", Number(options.QueueLength));
        }

        if (options.QueueTimeout <= TimeSpan.Zero || options.QueueTimeout > MaxQueueTimeout)
        {
            yield return Failure(name, nameof(options.QueueTimeout), "must be longer than 0 s and at most 86400 s", Seconds(options.QueueTimeout));
        }

        if (!Enum.IsDefined(options.QueueOrder))
        {
            yield return Failure(name, nameof(options.QueueOrder), "must be OldestFirst or NewestFirst", Number((int)options.QueueOrder));
        }

        foreach (var failure in AdaptiveErrors(name, options).Concat(PartitionErrors(name, options)))
        {
            yield return failure;
        }
    }

    private static IEnumerable<string> AdaptiveErrors(string name, BulkheadOptions options)
    {
        if (!Enum.IsDefined(options.Adaptive))
        {
            yield return Failure(name, nameof(options.Adaptive), "must be None, Aimd or Gradient2", Number((int)options.Adaptive));
        }
        else if (options.Adaptive != AdaptiveLimit.None && options.MaxConcurrency is null)
        {
            yield return Failure(name, nameof(options.MaxConcurrency), $"must be a number of calls with {nameof(options.Adaptive)} {options.Adaptive}", "null");
        }

        // Without Adaptive they mean nothing, and a MaxConcurrency below their defaults is no error.
        var max = options.Adaptive == AdaptiveLimit.None ? int.MaxValue : options.MaxConcurrency ?? int.MaxValue;
        if (options.MinConcurrency < 1 || (max >= 1 && options.MinConcurrency > max))
        {
            yield return Failure(name, nameof(options.MinConcurrency), $"must be from 1 call to {nameof(options.MaxConcurrency)}", Number(options.MinConcurrency));
        }
        else if (options.InitialConcurrency is { } initial && (initial < 1 || (options.Adaptive != AdaptiveLimit.None && (initial < options.MinConcurrency || initial > max))))
        {
            yield return Failure(name, nameof(options.InitialConcurrency), $"must be from {nameof(options.MinConcurrency)} to {nameof(options.MaxConcurrency)} calls, or null", Number(initial));
        }
    }

    private static IEnumerable<string> PartitionErrors(string name, BulkheadOptions options)
    {
        if (options.PartitionBy is { } text && CallerKey.Error(text) is { } error)
        {
            yield return $"Bulkhead '{name}': {nameof(options.PartitionBy)} {error}";
        }

        if (options.PartitionBy is not null && options.PartitionKey is not null)
        {
            yield return $"Bulkhead '{name}': {nameof(options.PartitionKey)} must not be set together with {nameof(options.PartitionBy)}.";
        }

        if ((options.PartitionBy is not null || options.PartitionKey is not null) && options.MaxConcurrency is null)
        {
            yield return Failure(name, nameof(options.MaxConcurrency), "must be a number of calls where callers get shares of it", "null");
        }

        if (options.MaxPartitions is < 1 or > MostPartitions)
        {
            yield return Failure(name, nameof(options.MaxPartitions), $"must be from 1 to {Number(MostPartitions)}", Number(options.MaxPartitions));
        }

        foreach (var (key, weight) in options.PartitionWeights)
        {
            if (!(weight is > 0 and <= MaxWeight))
            {
                yield return $"Bulkhead '{name}': {nameof(options.PartitionWeights)}['{ConfigurationText.OneLine(key)}'] must be above 0 and at most {Number((int)MaxWeight)}, but is {weight.ToString(CultureInfo.InvariantCulture)}.";
            }
        }
    }

    private static string Failure(string name, string property, string rule, string value) =>
        $"Bulkhead '{name}': {property} {rule}, but is {value}.";

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Seconds(TimeSpan value) => $"{((decimal)value.Ticks / TimeSpan.TicksPerSecond).ToString("0.#######", CultureInfo.InvariantCulture)} s";
}
