namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers the what services tell each other about a call.</summary>
internal static class PropagationServiceCollectionExtensions
{
    public static IServiceCollection AddPropagation(this IServiceCollection services)
    {
        return services;
    }
}
