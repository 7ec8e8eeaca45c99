using Npgsql;
using Polly;
using Polly.Registry;

namespace ResilientHost.IntegrationTests.PostgreSql;

/// <summary>What the driver's exceptions mean to a pipeline of <c>Resilience:Calls</c>: which count, and which are worth another attempt.</summary>
[Trait("Category", "PostgreSql")]
public sealed class NpgsqlCallTests
{
    private const int Attempts = 2;
    private const int FailuresUntilOpen = 4;

    private const string Configuration = """
        {
          "Calls": {
            "db": {
              "TotalTimeout": "00:00:10",
              "AttemptTimeout": "00:00:05",
              "Retry": { "MaxAttempts": 2, "Delay": "00:00:00.001", "BudgetFloor": 1000 },
              "CircuitBreaker": { "ConsecutiveFailures": 4, "FailureRatio": null, "BreakDuration": "00:05:00", "MaxBreakDuration": "00:05:00" }
            },
            "pooled": {
              "TotalTimeout": "00:00:10",
              "AttemptTimeout": "00:00:00.200",
              "CircuitBreaker": { "ConsecutiveFailures": 4, "FailureRatio": null, "BreakDuration": "00:00:00.100", "MaxBreakDuration": "00:00:00.100", "HalfOpenProbes": 1 }
            }
          }
        }
        """;

    [Theory]
    [InlineData("SELECT 1 / 0")]
    [InlineData("SELECT * FROM nowhere")]
    [InlineData("this is no statement")]
    [InlineData("DO $$ BEGIN RAISE EXCEPTION 'as if' USING ERRCODE = 'unique_violation'; END $$")]
    [InlineData("DO $$ BEGIN RAISE EXCEPTION 'as if' USING ERRCODE = 'insufficient_privilege'; END $$")]
    public async Task Statement_AtFaultItself_IsMadeOnceAndSaysNothingOfTheDatabase(string sql)
    {
        await using var bench = await Bench.StartAsync(Configuration);

        for (var call = 1; call <= 2 * FailuresUntilOpen; call++)
        {
            await bench.ShouldFailAsync<PostgresException>(sql);
            bench.Attempts.ShouldBe(call);
        }

        (await bench.StateAsync()).ShouldBe("CLOSED");
    }

    [Theory]
    [InlineData("DO $$ BEGIN RAISE EXCEPTION 'as if' USING ERRCODE = 'serialization_failure'; END $$")]
    [InlineData("DO $$ BEGIN RAISE EXCEPTION 'as if' USING ERRCODE = 'too_many_connections'; END $$")]
    [InlineData("SELECT pg_terminate_backend(pg_backend_pid())")]
    public async Task Failure_ThatMayPass_IsTriedAgainAndOpensTheCircuit(string sql)
    {
        await using var bench = await Bench.StartAsync(Configuration);

        for (var call = 1; call <= FailuresUntilOpen / Attempts; call++)
        {
            await bench.ShouldFailAsync<PostgresException>(sql);
            bench.Attempts.ShouldBe(call * Attempts);
        }

        (await bench.StateAsync()).ShouldBe("OPEN");
        (await bench.ShouldFailAsync<RefusedException>(sql)).Refusal.Reason.ShouldBe(RefusalReason.CircuitOpen);
        bench.Attempts.ShouldBe(FailuresUntilOpen);
    }

    [Fact]
    public async Task Statement_ThatTheServerGaveUp_CountsAsFailureAndIsNotTriedAgain()
    {
        await using var bench = await Bench.StartAsync(Configuration, "Options=-c statement_timeout=20");

        for (var call = 1; call <= FailuresUntilOpen; call++)
        {
            (await bench.ShouldFailAsync<PostgresException>("SELECT pg_sleep(10)")).SqlState.ShouldBe("57014");
            bench.Attempts.ShouldBe(call);
        }

        (await bench.StateAsync()).ShouldBe("OPEN");
    }

    [Fact]
    public async Task Pool_Exhausted_OpensTheCircuitWhichClosesWhenConnectionsAreBack()
    {
        await using var bench = await Bench.StartAsync(Configuration, "Maximum Pool Size=2", "pooled");
        var held = new[] { await bench.Database.OpenConnectionAsync(), await bench.Database.OpenConnectionAsync() };

        for (var call = 0; call < FailuresUntilOpen; call++)
        {
            await bench.ShouldFailAsync<Polly.Timeout.TimeoutRejectedException>("SELECT 1");
        }

        (await bench.ShouldFailAsync<RefusedException>("SELECT 1")).Refusal.RetryAfter.ShouldNotBeNull();

        foreach (var connection in held)
        {
            await connection.DisposeAsync();
        }

        await TestService.EventuallyAsync(() => bench.TryAsync("SELECT 1"), "a call gets through");
        (await bench.StateAsync()).ShouldBe("CLOSED");
    }

    /// <summary>A server, a host with pipelines, and a database behind one of them.</summary>
    private sealed class Bench : IAsyncDisposable
    {
        private readonly PostgreSqlServer _server;
        private readonly TestService _service;
        private readonly string _call;
        private readonly ResiliencePipeline _pipeline;
        private int _attempts;

        private Bench(PostgreSqlServer server, TestService service, NpgsqlDataSource database, string call)
        {
            _server = server;
            _service = service;
            _call = call;
            Database = database;
            _pipeline = service.Services.GetRequiredService<ResiliencePipelineProvider<string>>().GetPipeline(call);
        }

        public NpgsqlDataSource Database { get; }

        public int Attempts => Volatile.Read(ref _attempts);

        /// <summary>The circuit's state, as the status says it.</summary>
        public Task<string> StateAsync() => _service.StateOfAsync($"call:{_call}");

        public static async Task<Bench> StartAsync(string configuration, string connection = "", string call = "db")
        {
            var server = await PostgreSqlServer.StartAsync();
            try
            {
                var service = await TestService.StartAsync(static _ => { }, configuration);
                return new Bench(server, service, NpgsqlDataSource.Create(server.ConnectionString + connection), call);
            }
            catch
            {
                await server.DisposeAsync();
                throw;
            }
        }

        public Task<TException> ShouldFailAsync<TException>(string sql)
            where TException : Exception => Should.ThrowAsync<TException>(() => ExecuteAsync(sql));

        public async Task<bool> TryAsync(string sql)
        {
            try
            {
                await ExecuteAsync(sql);
                return true;
            }
            catch (Exception exception) when (exception is ExecutionRejectedException or RefusedException)
            {
                return false;
            }
        }

        public async ValueTask DisposeAsync()
        {
            await Database.DisposeAsync();
            await _service.DisposeAsync();
            await _server.DisposeAsync();
        }

        private Task ExecuteAsync(string sql) => _pipeline.ExecuteAsync(
            async cancellationToken =>
            {
                Interlocked.Increment(ref _attempts);
                await using var command = Database.CreateCommand(sql);
                await command.ExecuteNonQueryAsync(cancellationToken);
            }).AsTask();
    }
}
