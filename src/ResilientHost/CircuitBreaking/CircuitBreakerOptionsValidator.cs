using System.Globalization;

using Microsoft.Extensions.Options;
using ResilientHost.Callers;

namespace ResilientHost.CircuitBreaking;

/// <summary>The bounds of <see cref="CircuitBreakerOptions"/>, each once; reports every error at once.</summary>
internal sealed class CircuitBreakerOptionsValidator : IValidateOptions<CircuitBreakerOptions>
{
    private const int MaxWindowSize = 1_000_000;
    private const int MaxProbes = 1_000;
    private const int MostPartitions = 1_000_000;
    private const int MostDistinctCallers = 64;
    private const double MaxBackoff = 100;
    private static readonly TimeSpan MinSampling = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan OneDay = TimeSpan.FromDays(1);

    /// <inheritdoc/>
    public ValidateOptionsResult Validate(string? name, CircuitBreakerOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var errors = Errors(name ?? Options.DefaultName, options).ToList();
        return errors.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(errors);
    }

    /// <summary>Throws all errors of one instance.</summary>
    /// <exception cref="OptionsValidationException">There is an error.</exception>
    public static void ThrowIfInvalid(string name, CircuitBreakerOptions options)
    {
        var errors = Errors(name, options).ToList();
        if (errors.Count > 0)
        {
            throw new OptionsValidationException(name, typeof(CircuitBreakerOptions), errors);
        }
    }

    /// <summary>Every error of the instance as a sentence: instance, property, rule, value, unit.</summary>
    public static IEnumerable<string> Errors(string name, CircuitBreakerOptions options) =>
        Rules(options).Select(error => $"Circuit breaker '{name}': {error}");

    private static IEnumerable<string> Rules(CircuitBreakerOptions o)
    {
        if (!Enum.IsDefined(o.Mode))
        {
            yield return $"{nameof(o.Mode)} must be Enforce, Shadow, Disabled or ForcedOpen, but is {(int)o.Mode}.";
        }

        if (o.FailureRatio is { } failureRatio && !IsRatio(failureRatio))
        {
            yield return $"{nameof(o.FailureRatio)} must be above 0 and at most 1 (null switches the trigger off), but is {Text(failureRatio)}.";
        }

        if (o.MinimumThroughput < 1)
        {
            yield return $"{nameof(o.MinimumThroughput)} must be at least 1 call, but is {o.MinimumThroughput}.";
        }

        if (o.SamplingDuration < MinSampling || o.SamplingDuration > OneDay)
        {
            yield return $"{nameof(o.SamplingDuration)} must be from 10 ms to 1 day, but is {Text(o.SamplingDuration)}.";
        }

        if (o.WindowSize is < 0 or > MaxWindowSize)
        {
            yield return $"{nameof(o.WindowSize)} must be from 0 (window by time) to 1,000,000 calls, but is {o.WindowSize}.";
        }

        if (o.ConsecutiveFailures < 0)
        {
            yield return $"{nameof(o.ConsecutiveFailures)} must be 0 (off) or more calls, but is {o.ConsecutiveFailures}.";
        }

        if (o.SlowCallDuration is { } slow && slow <= TimeSpan.Zero)
        {
            yield return $"{nameof(o.SlowCallDuration)} must be above zero (null switches the trigger off), but is {Text(slow)}.";
        }

        if (!IsRatio(o.SlowCallRatio))
        {
            yield return $"{nameof(o.SlowCallRatio)} must be above 0 and at most 1, but is {Text(o.SlowCallRatio)}.";
        }

        if (o.BreakDuration <= TimeSpan.Zero || o.BreakDuration > OneDay)
        {
            yield return $"{nameof(o.BreakDuration)} must be above zero and at most 1 day, but is {Text(o.BreakDuration)}.";
        }

        if (o.MaxBreakDuration > OneDay)
        {
            yield return $"{nameof(o.MaxBreakDuration)} must be at most 1 day, but is {Text(o.MaxBreakDuration)}.";
        }
        else if (o.MaxBreakDuration < o.BreakDuration || o.MaxBreakDuration <= TimeSpan.Zero)
        {
            yield return $"{nameof(o.MaxBreakDuration)} must be at least {nameof(o.BreakDuration)} ({Text(o.BreakDuration)}), but is {Text(o.MaxBreakDuration)}.";
        }

        if (!(o.BreakBackoff is >= 1 and <= MaxBackoff))
        {
            yield return $"{nameof(o.BreakBackoff)} must be from 1 to 100, but is {Text(o.BreakBackoff)}.";
        }

        if (!(o.BreakJitter is >= 0 and < 1))
        {
            yield return $"{nameof(o.BreakJitter)} must be from 0 to below 1, but is {Text(o.BreakJitter)}.";
        }

        if (o.HalfOpenProbes is < 1 or > MaxProbes)
        {
            yield return $"{nameof(o.HalfOpenProbes)} must be from 1 to 1,000 calls, but is {o.HalfOpenProbes}.";
        }

        if (o.HalfOpenMaxDuration <= TimeSpan.Zero || o.HalfOpenMaxDuration > OneDay)
        {
            yield return $"{nameof(o.HalfOpenMaxDuration)} must be above zero and at most 1 day, but is {Text(o.HalfOpenMaxDuration)}.";
        }

        if (o.MaxPartitions is < 1 or > MostPartitions)
        {
            yield return $"{nameof(o.MaxPartitions)} must be from 1 to 1,000,000, but is {o.MaxPartitions}.";
        }

        if (o.PartitionBy is { } partitions && CallerKey.Error(partitions) is { } wrong)
        {
            yield return $"{nameof(o.PartitionBy)} {wrong}";
        }

        if (o.PartitionBy is not null && o.PartitionKey is not null)
        {
            yield return $"{nameof(o.PartitionKey)} must not be set together with {nameof(o.PartitionBy)}.";
        }

        if (o.MinimumDistinctCallers is < 0 or > MostDistinctCallers)
        {
            yield return $"{nameof(o.MinimumDistinctCallers)} must be from 0 to 64 callers, but is {o.MinimumDistinctCallers}.";
        }

        if (o.CallerBy is { } callers && CallerKey.Error(callers) is { } unknown)
        {
            yield return $"{nameof(o.CallerBy)} {unknown}";
        }
        if (o.MinimumDistinctCallers > 1 && o.WindowSize > 0 && o.MinimumDistinctCallers > o.WindowSize)
        {
            yield return $"{nameof(o.MinimumDistinctCallers)} must be at most {nameof(o.WindowSize)} ({o.WindowSize} calls), but is {o.MinimumDistinctCallers}.";
        }

        if (o.MinimumDistinctCallers > 1 && CallerSelector.From(o.PartitionBy, code: null) is { } keys
            && keys == (CallerSelector.From(o.CallerBy, code: null) ?? CallerSelector.Default))
        {
            yield return $"{nameof(o.MinimumDistinctCallers)} must be 0 or 1 where {nameof(o.PartitionBy)} gives each caller a circuit of its own, but is {o.MinimumDistinctCallers}.";
        }
    }

    // NaN fails every comparison, so the rule is written as what must hold.
    private static bool IsRatio(double value) => value is > 0 and <= 1;

    private static string Text(double value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Text(TimeSpan value) => Math.Abs(value.TotalSeconds) switch
    {
        0 => "0 s",
        < 1 => $"{Text(value.TotalMilliseconds)} ms",
        < 120 => $"{Text(value.TotalSeconds)} s",
        _ => $"{value:c} (d.hh:mm:ss)",
    };
}
