using Microsoft.Extensions.Configuration;
using Microsoft.FeatureManagement;

namespace ResilientHost;

/// <summary>A feature with this filter is on while the service level is no worse than its parameter <c>Max</c>.</summary>
/// <remarks>
/// <para>In configuration: <c>"EnabledFor": [{ "Name": "ServiceLevel", "Parameters": { "Max": "Reduced" } }]</c>. <c>Max</c> is <c>Normal</c>, <c>Reduced</c>, <c>Essential</c> or
/// <c>Survival</c>, in any case, and <c>Normal</c> when it is left out.</para>
/// <para>Goes by <see cref="IServiceLevel.Current"/>, in <see cref="DegradationMode.Shadow"/>, too. Thread-safe; asked for each evaluation, nothing is cached.</para>
/// </remarks>
/// <param name="level">The service level.</param>
[FilterAlias(Alias)]
public sealed class ServiceLevelFeatureFilter(IServiceLevel level) : IFeatureFilter
{
    /// <summary>What configuration calls the filter.</summary>
    public const string Alias = "ServiceLevel";

    /// <summary>The one parameter.</summary>
    private const string Max = "Max";

    /// <summary>Whether the level is no worse than the feature allows.</summary>
    /// <param name="context">Names the feature and holds its parameters.</param>
    /// <returns>Complete at once.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="context"/> is <see langword="null"/>.</exception>
    /// <exception cref="InvalidOperationException"><c>Max</c> is not the name of a service level, or there is a parameter of another name.</exception>
    public Task<bool> EvaluateAsync(FeatureFilterEvaluationContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return Task.FromResult(level.Current <= MaxOf(context));
    }

    private static ServiceLevel MaxOf(FeatureFilterEvaluationContext context)
    {
        var max = ServiceLevel.Normal;
        foreach (var parameter in context.Parameters?.GetChildren() ?? [])
        {
            if (!string.Equals(parameter.Key, Max, StringComparison.OrdinalIgnoreCase))
            {
                throw new InvalidOperationException($"Feature '{context.FeatureName}': the filter '{Alias}' has the parameter '{Max}' only, but is given '{parameter.Key}'.");
            }

            max = Parse(context.FeatureName, parameter.Value);
        }

        return max;
    }

    // Not Enum.TryParse, which takes numbers and lists as well.
    private static ServiceLevel Parse(string feature, string? text)
    {
        foreach (var candidate in Enum.GetValues<ServiceLevel>())
        {
            if (string.Equals(candidate.ToString(), text, StringComparison.OrdinalIgnoreCase))
            {
                return candidate;
            }
        }

        throw new InvalidOperationException(
            $"Feature '{feature}': the parameter '{Max}' of the filter '{Alias}' must be one of {string.Join(", ", Enum.GetNames<ServiceLevel>())}, but is '{text}'.");
    }
}
