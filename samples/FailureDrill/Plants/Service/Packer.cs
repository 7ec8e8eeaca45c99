namespace FailureDrill.Plants.Service;

/// <summary>Packs an order: some milliseconds, and a line in a file that stands in for a database.</summary>
internal sealed class Packer(PlantFolder folder)
{
    public async Task PackAsync(Order order, CancellationToken cancellationToken)
    {
        await Task.Delay(TimeSpan.FromMilliseconds(10), cancellationToken);
        if (order.IsPoison)
        {
            throw new FormatException($"Order {order.Id} cannot be packed.");
        }

        await folder.AddPackedAsync(order.Id);
    }
}
