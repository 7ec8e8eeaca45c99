using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;

namespace ResilientHost.Fallbacks;

internal static class FallbackBindingServiceCollectionExtensions
{
    /// <summary>Registers what binds fallbacks to their endpoints.</summary>
    public static IServiceCollection AddFallbackBinding(this IServiceCollection services)
    {
        services.TryAddSingleton<FallbackBinder>();

        // Where an application takes its controllers from its services, MVC asks there for this one, too.
        services.TryAddTransient<FallbackMvcStaticHost>();
        return services;
    }
}
