using Npgsql;

namespace Storefront.Orders;

/// <summary>
/// Keeps orders in PostgreSQL. Each of its calls may be made again: reads change nothing, and an order has a key of its own.
/// </summary>
internal sealed class PostgresOrderStore(NpgsqlDataSource database) : IOrderStore
{
    /// <summary>
    /// What the shop asks of its connections; whatever the operator's connection string says of the same counts instead.
    /// The server gives up a statement first, and keeps the connection; the driver comes next, and loses it. Both are
    /// behind the attempt timeout of <c>Calls:orders-db</c>, and bound what an attempt that ended leaves behind.
    /// </summary>
    private const string Defaults =
        "Application Name=Storefront;Maximum Pool Size=16;Timeout=1;Command Timeout=1;Cancellation Timeout=-1;Options=-c statement_timeout=500;";

    /// <summary>A source of connections as the store wants them.</summary>
    /// <exception cref="ArgumentException">The connection string is none.</exception>
    public static NpgsqlDataSource Connect(string connectionString) => NpgsqlDataSource.Create(Defaults + connectionString);

    public Task<IReadOnlyList<PastOrder>> ListAsync(string customer, CancellationToken cancellationToken) =>
        RunAsync(connection => ReadAsync(connection, customer), cancellationToken).OrLeaveAsync(cancellationToken);

    public Task AddAsync(string customer, PastOrder order, CancellationToken cancellationToken) =>
        RunAsync(connection => WriteAsync(connection, customer, order), cancellationToken).OrLeaveAsync(cancellationToken);

    // Only the wait for a free connection is cancelled. To cancel a command, the driver asks the server over a connection of
    // its own, synchronously, inside of the cancellation: where the server is frozen, that held up a timeout of 1 s for 7 s.
    private async Task<T> RunAsync<T>(Func<NpgsqlConnection, Task<T>> call, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        return await call(connection);
    }

    private static async Task<IReadOnlyList<PastOrder>> ReadAsync(NpgsqlConnection connection, string customer)
    {
        await using var query = new NpgsqlCommand(
            "SELECT reference, product_id, quantity FROM orders WHERE customer = $1 ORDER BY placed_at DESC LIMIT $2", connection)
        {
            Parameters = { new() { Value = customer }, new() { Value = OrderTable.Latest } },
        };
        await using var rows = await query.ExecuteReaderAsync();
        var orders = new List<PastOrder>();
        while (await rows.ReadAsync())
        {
            orders.Add(new PastOrder(rows.GetString(0), rows.GetInt32(1), rows.GetInt32(2)));
        }

        return orders;
    }

    private static async Task<int> WriteAsync(NpgsqlConnection connection, string customer, PastOrder order)
    {
        await using var insert = new NpgsqlCommand(
            "INSERT INTO orders (customer, reference, product_id, quantity) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING", connection)
        {
            Parameters = { new() { Value = customer }, new() { Value = order.Reference }, new() { Value = order.ProductId }, new() { Value = order.Quantity } },
        };
        return await insert.ExecuteNonQueryAsync();
    }
}
