using Npgsql;
using ResilientHost;

namespace Storefront.Orders;

/// <summary>
/// Makes the table of orders, once the database is there. A worker and not a step of the start: a shop must open while its
/// database is down. It throws when it cannot go on, and its supervisor starts it again.
/// </summary>
internal sealed partial class OrderTable(NpgsqlDataSource database, ILogger<OrderTable> logger) : IResilientWorker
{
    /// <summary>So many orders a customer is shown.</summary>
    public const int Latest = 20;

    // Two shops that start together would both find no table, and one of them fail on the name: the lock lets one go first.
    private const string Schema = """
        SELECT pg_advisory_xact_lock(7312001);
        CREATE TABLE IF NOT EXISTS orders (
            customer text NOT NULL,
            reference text NOT NULL,
            product_id integer NOT NULL,
            quantity integer NOT NULL,
            placed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
            PRIMARY KEY (customer, reference));
        CREATE INDEX IF NOT EXISTS orders_by_time ON orders (customer, placed_at DESC);
        """;

    public async Task RunAsync(WorkerContext context, CancellationToken stoppingToken)
    {
        await using var schema = database.CreateCommand(Schema);
        await schema.ExecuteNonQueryAsync(CancellationToken.None).OrLeaveAsync(stoppingToken);
        LogReady(logger);
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "The table of orders is there.")]
    private static partial void LogReady(ILogger logger);
}
