using System.Globalization;
using Npgsql;

namespace ResilientHost.IntegrationTests.PostgreSql;

/// <summary>The orders of samples/Storefront on a real PostgreSQL, which is broken in every way a database breaks.</summary>
[Trait("Category", "PostgreSql")]
public sealed class StorefrontOrdersTests
{
    private const string CountOrders = "SELECT count(*) FROM orders";

    // For tests in which the database is slow on purpose and nothing may come of it.
    private static readonly string[] Patient =
    [
        "--Resilience:Calls:orders-db:AttemptTimeout", "00:00:20",
        "--Resilience:Calls:orders-db:TotalTimeout", "00:00:20",
        "--Resilience:Timeouts:Default", "00:00:20",
    ];

    [Fact]
    public async Task Shop_NoServerConfigured_KeepsOrdersItself()
    {
        await using var shop = await ShopProcess.StartAsync(connectionString: null);

        await KeepAsync(shop, "a1");
        await KeepAsync(shop, "a1");
        await KeepAsync(shop, "b2", quantity: 4);

        var history = await shop.ListAsync();
        history.IsComplete.ShouldBeTrue();
        history.Orders.Select(order => $"{order.GetProperty("reference")} {order.GetProperty("quantity")}").ShouldBe(["b2 4", "a1 1"]);
    }

    [Fact]
    public async Task Order_PutAgain_IsInTheDatabaseOnce()
    {
        await using var server = await PostgreSqlServer.StartAsync();
        await using var shop = await StartAsync(server);

        await KeepAsync(shop, "a1");
        await KeepAsync(shop, "a1");
        await KeepAsync(shop, "b2", quantity: 4);

        (await server.ScalarAsync<long>(CountOrders)).ShouldBe(2);
        var history = await shop.ListAsync();
        history.IsComplete.ShouldBeTrue();
        history.Orders.Select(order => $"{order.GetProperty("reference")} {order.GetProperty("quantity")}").ShouldBe(["b2 4", "a1 1"]);
    }

    [Fact]
    public async Task Shop_ServerDownAtStart_OpensAndFindsItLater()
    {
        await using var server = await PostgreSqlServer.CreateAsync();
        await using var shop = await ShopProcess.StartAsync(server.ConnectionString);

        (await shop.ListAsync()).IsComplete.ShouldBeFalse();

        await server.RunAsync();
        await shop.RecoveredAsync();
        await KeepAsync(shop, "a1");
        (await server.ScalarAsync<long>(CountOrders)).ShouldBe(1);
    }

    [Fact]
    public async Task Pool_Exhausted_FallbackServesUntilItIsNot()
    {
        await using var server = await PostgreSqlServer.StartAsync();
        await using var shop = await StartAsync(server, "Maximum Pool Size=2", "--Resilience:Calls:orders-db:Bulkhead:MaxConcurrency", "50");
        await KeepAsync(shop, "a1");

        // Somebody else has locked the table: the two connections are busy for as long as statements may take, and everybody else waits for one.
        await using (await LockTableAsync(server))
        {
            await shop.FailUntilOpenAsync(customers: 20);
            await ShouldAnswerWithoutTheDatabaseAsync(shop);
            (await Connections(server)).ShouldBeLessThanOrEqualTo(2);
        }

        await shop.RecoveredAsync();
        await KeepAsync(shop, "b2");
    }

    [Fact]
    public async Task Server_Frozen_FallbackServesAndShopRecoversWhenItGoesOn()
    {
        await using var server = await PostgreSqlServer.StartAsync();
        await using var shop = await StartAsync(server);
        await KeepAsync(shop, "a1");

        await server.FreezeAsync();
        try
        {
            await shop.FailUntilOpenAsync(customers: 10);
            await ShouldAnswerWithoutTheDatabaseAsync(shop);
        }
        finally
        {
            await server.ThawAsync();
        }

        await shop.RecoveredAsync();
        await KeepAsync(shop, "b2");
        (await server.ScalarAsync<long>(CountOrders)).ShouldBe(2);
    }

    [Fact]
    public async Task Connections_AllKilled_NobodyNotices()
    {
        await using var server = await PostgreSqlServer.StartAsync();
        await using var shop = await StartAsync(server, "Options=-c statement_timeout=0;Command Timeout=20", Patient);
        await KeepAsync(shop, "a1");

        for (var round = 0; round < 3; round++)
        {
            await OpenConnectionsAsync(server, shop, count: 8);
            (await server.KillConnectionsAsync()).ShouldBeGreaterThanOrEqualTo(8);

            (await shop.ListAsync()).IsComplete.ShouldBeTrue($"Round {round}.");
            await KeepAsync(shop, string.Create(CultureInfo.InvariantCulture, $"r{round}"));
        }

        (await server.ScalarAsync<long>(CountOrders)).ShouldBe(4);
        (await shop.BreakerAsync()).GetProperty("state").GetString().ShouldBe("closed");
    }

    [Fact]
    public async Task Server_Restarted_FallbackServesMeanwhileAndNothingIsLost()
    {
        await using var server = await PostgreSqlServer.StartAsync();
        await using var shop = await StartAsync(server);
        await KeepAsync(shop, "a1");

        await server.StopAsync();
        await shop.FailUntilOpenAsync(customers: 3);
        await TestService.EventuallyAsync(
            async () =>
            {
                // Not the first, where that one is the probe of a break that is over by now.
                using var answer = await shop.KeepAsync("b2");
                return answer is { StatusCode: HttpStatusCode.ServiceUnavailable, Headers.RetryAfter: not null };
            },
            "an order is refused while the database is away");

        await server.RunAsync();
        await shop.RecoveredAsync();
        (await shop.ListAsync()).Orders.ShouldHaveSingleItem().GetProperty("reference").GetString().ShouldBe("a1");
        await KeepAsync(shop, "b2");
    }

    private static async Task<ShopProcess> StartAsync(PostgreSqlServer server, string connection = "", params string[] settings)
    {
        var shop = await ShopProcess.StartAsync(server.ConnectionString + connection, settings);
        try
        {
            await shop.RecoveredAsync();
            return shop;
        }
        catch
        {
            await shop.DisposeAsync();
            throw;
        }
    }

    private static async Task KeepAsync(ShopProcess shop, string reference, int quantity = 1)
    {
        using var response = await shop.KeepAsync(reference, quantity);
        response.StatusCode.ShouldBe(HttpStatusCode.NoContent, await response.Content.ReadAsStringAsync());
    }

    // With an open circuit nobody waits for the database: what is asked now, a hundred times over, is answered by the fallback.
    private static async Task ShouldAnswerWithoutTheDatabaseAsync(ShopProcess shop)
    {
        var answers = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => shop.ListAsync()));
        answers.ShouldAllBe(answer => !answer.IsComplete && answer.Orders.Count == 0);
    }

    /// <summary>Locks the table of orders until the connection is disposed.</summary>
    private static async Task<NpgsqlConnection> LockTableAsync(PostgreSqlServer server)
    {
        var administrator = await server.ConnectAsync();
        await using var locking = new NpgsqlCommand("BEGIN; LOCK TABLE orders IN ACCESS EXCLUSIVE MODE", administrator);
        await locking.ExecuteNonQueryAsync();
        return administrator;
    }

    /// <summary>Lets so many customers wait for the table at once that as many connections are in the pool.</summary>
    private static async Task OpenConnectionsAsync(PostgreSqlServer server, ShopProcess shop, int count)
    {
        Task<History[]> customers;
        await using (await LockTableAsync(server))
        {
            customers = Task.WhenAll(Enumerable.Range(0, count).Select(_ => shop.ListAsync()));
            await TestService.EventuallyAsync(async () => await Connections(server) >= count, $"{count} connections");
        }

        (await customers).ShouldAllBe(history => history.IsComplete);
    }

    private static Task<long> Connections(PostgreSqlServer server) =>
        server.ScalarAsync<long>("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'Storefront'");
}
