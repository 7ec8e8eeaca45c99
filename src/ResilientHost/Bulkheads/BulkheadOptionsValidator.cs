using System.Globalization;
using Microsoft.Extensions.Options;

namespace ResilientHost.Bulkheads;

/// <summary>The bounds of <see cref="BulkheadOptions"/>; finds all errors at once.</summary>
internal sealed class BulkheadOptionsValidator : IValidateOptions<BulkheadOptions>
{
    public const int MaxQueueLength = 1_000_000;
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
    }

    private static string Failure(string name, string property, string rule, string value) =>
        $"Bulkhead '{name}': {property} {rule}, but is {value}.";

    private static string Number(int value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Seconds(TimeSpan value) => $"{((decimal)value.Ticks / TimeSpan.TicksPerSecond).ToString("0.#######", CultureInfo.InvariantCulture)} s";
}
