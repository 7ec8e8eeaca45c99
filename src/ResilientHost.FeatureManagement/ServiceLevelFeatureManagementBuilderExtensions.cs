using ResilientHost;

namespace Microsoft.FeatureManagement;

/// <summary>Adds the service level to feature management.</summary>
public static class ServiceLevelFeatureManagementBuilderExtensions
{
    /// <summary>Adds the filter <c>ServiceLevel</c>: features that have it step back while the service is overloaded.</summary>
    /// <param name="builder">From <c>AddFeatureManagement()</c>. The services need <c>AddResilienceLayers()</c>, before or after.</param>
    /// <returns>The same builder.</returns>
    /// <exception cref="ArgumentNullException"><paramref name="builder"/> is <see langword="null"/>.</exception>
    public static IFeatureManagementBuilder AddServiceLevelFilter(this IFeatureManagementBuilder builder)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.AddFeatureFilter<ServiceLevelFeatureFilter>();
    }
}
