using Storefront.Faults;
using Storefront.Upstreams;

namespace Storefront.Orders;

internal static class OrderServiceCollectionExtensions
{
    /// <summary>Keeps orders in the PostgreSQL of <c>ConnectionStrings:Orders</c>; without one, in the shop itself.</summary>
    public static void AddOrders(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<OrderBook>();
        if (builder.Configuration.GetConnectionString("Orders") is { Length: > 0 } connectionString)
        {
            builder.Services.AddSingleton(_ => PostgresOrderStore.Connect(connectionString));
            builder.Services.AddStore<PostgresOrderStore>();

            // As often as it takes: a database may be away for a day.
            builder.Services.AddResilientWorker<OrderTable>("order-table", worker =>
            {
                worker.MaxRestarts = 1_000_000;
                worker.MaxRestartDelay = TimeSpan.FromSeconds(2);
            });
        }
        else
        {
            builder.Services.AddStore<EmbeddedOrderStore>();
        }
    }

    private static void AddStore<TStore>(this IServiceCollection services)
        where TStore : class, IOrderStore
    {
        services.AddSingleton<TStore>();
        services.AddSingleton<IOrderStore>(provider => new FaultyOrderStore(
            provider.GetRequiredService<TStore>(), provider.GetRequiredService<FaultSwitches>(), provider.GetRequiredService<UpstreamTraffic>()));
    }
}
