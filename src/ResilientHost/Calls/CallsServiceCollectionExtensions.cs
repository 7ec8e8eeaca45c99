namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers the pipelines of other calls.</summary>
internal static class CallsServiceCollectionExtensions
{
    public static IServiceCollection AddCalls(this IServiceCollection services)
    {
        return services;
    }
}
