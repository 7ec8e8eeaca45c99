namespace Storefront.Upstreams;

internal static class UpstreamServiceCollectionExtensions
{
    /// <summary>Starts the services behind the shop with it.</summary>
    public static IServiceCollection AddUpstreams(this IServiceCollection services)
    {
        services.AddSingleton<UpstreamTraffic>();
        services.AddSingleton<UpstreamHost>();
        return services.AddHostedService(provider => provider.GetRequiredService<UpstreamHost>());
    }

    /// <summary>Adds a typed client of one of them.</summary>
    public static IServiceCollection AddUpstreamClient<TClient>(this IServiceCollection services, string service)
        where TClient : class
    {
        services.AddHttpClient<TClient>((provider, http) =>
        {
            http.BaseAddress = provider.GetRequiredService<UpstreamHost>().AddressOf(service);

            // Longer than every timeout of an endpoint: it bounds the wait only where the layers are off.
            http.Timeout = TimeSpan.FromSeconds(3);
        });
        return services;
    }
}
