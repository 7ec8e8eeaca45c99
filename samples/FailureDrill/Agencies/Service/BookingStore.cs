using Npgsql;
using Polly.Registry;

namespace FailureDrill.Agencies.Service;

/// <summary>Bookings in PostgreSQL, asked for under what <c>Calls:bookings</c> says.</summary>
internal sealed class BookingStore(NpgsqlDataSource database, ResiliencePipelineProvider<string> pipelines)
{
    private long _queries;

    public long Queries => Interlocked.Read(ref _queries);

    public async Task<string> CountAsync(CancellationToken cancellationToken) =>
        await pipelines.GetPipeline("bookings").ExecuteAsync(async token => await QueryAsync(token).WaitAsync(token), cancellationToken);

    // The token ends the wait, and the wait for a free connection, but not the command: to cancel that, the driver asks the server
    // over one more connection, and waits for its answer inside of the cancellation. A frozen server gives none.
    private async Task<string> QueryAsync(CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _queries);
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var command = new NpgsqlCommand("SELECT count(*) FROM bookings", connection);
        return $"{await command.ExecuteScalarAsync(CancellationToken.None)} bookings";
    }
}
