using Polly;
using Polly.Registry;

namespace Storefront.Orders;

/// <summary>
/// The orders, as the rest of the shop sees them: every call of the store goes through the pipeline that configuration
/// describes under <c>Calls:orders-db</c>. It may make a call again, for the store's calls may be made twice.
/// </summary>
internal sealed class OrderBook(IOrderStore store, ResiliencePipelineProvider<string> pipelines)
{
    private readonly ResiliencePipeline _calls = pipelines.GetPipeline("orders-db");

    public async Task<IReadOnlyList<PastOrder>> ListAsync(string customer, CancellationToken cancellationToken) =>
        await _calls.ExecuteAsync(async token => await store.ListAsync(customer, token), cancellationToken);

    public async Task AddAsync(string customer, PastOrder order, CancellationToken cancellationToken) =>
        await _calls.ExecuteAsync(async token => await store.AddAsync(customer, order, token), cancellationToken);
}
