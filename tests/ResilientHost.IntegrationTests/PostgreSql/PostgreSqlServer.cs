using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using Npgsql;

namespace ResilientHost.IntegrationTests.PostgreSql;

/// <summary>A PostgreSQL of one test's own, with its data in a temporary folder, on a free port of the loopback interface.</summary>
/// <remarks>A shell stands between: when its input ends it kills the server, so that a test run that dies leaves no server behind.</remarks>
internal sealed class PostgreSqlServer : IAsyncDisposable
{
    private const string UntilInputEnds = """
        "$@" & server=$!
        echo "server $server"
        read -r _
        kill -KILL $(cat /proc/$server/task/$server/children) $server
        wait $server
        """;

    private readonly DirectoryInfo _folder;
    private Process? _shell;
    private int _server;

    private PostgreSqlServer(DirectoryInfo folder, int port) => (_folder, Port) = (folder, port);

    public int Port { get; }

    /// <summary>For whom the server may do anything.</summary>
    public string ConnectionString => string.Create(CultureInfo.InvariantCulture, $"Host=127.0.0.1;Port={Port};Username=shop;Database=postgres;");

    private string Data => Path.Combine(_folder.FullName, "data");

    /// <summary>Makes a database, and runs it; skips the test where no server is installed.</summary>
    public static async Task<PostgreSqlServer> StartAsync()
    {
        var server = await CreateAsync();
        try
        {
            await server.RunAsync();
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Makes a database that nobody runs yet; skips the test where no server is installed.</summary>
    public static async Task<PostgreSqlServer> CreateAsync()
    {
        PostgreSqlInstallation.SkipIfMissing();
        var server = new PostgreSqlServer(Directory.CreateTempSubdirectory("resilient-host-postgresql-"), FreePort());
        try
        {
            await PostgreSqlInstallation.OwnAsync(server._folder.FullName);
            await PostgreSqlInstallation.RunAsync(PostgreSqlInstallation.Start(
                Program("initdb"), "--pgdata", server.Data, "--username", "shop", "--auth", "trust", "--no-sync", "--locale", "C", "--encoding", "UTF8"));
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs it, and waits until it takes connections.</summary>
    public async Task RunAsync()
    {
        var start = PostgreSqlInstallation.Start(
            "/bin/sh", "-c", UntilInputEnds, "sh", Program("postgres"), "-D", Data, "-p", Port.ToString(CultureInfo.InvariantCulture),
            "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "fsync=off", "-c", "max_connections=40", "-c", "shared_buffers=16MB");
        _shell = Process.Start(start).ShouldNotBeNull();
        _shell.ErrorDataReceived += static (_, _) => { };
        _shell.BeginErrorReadLine();
        using var patience = new CancellationTokenSource(TestService.Patience);
        var said = (await _shell.StandardOutput.ReadLineAsync(patience.Token)).ShouldNotBeNull();
        _server = int.Parse(said.Split(' ')[1], CultureInfo.InvariantCulture);
        await TestService.EventuallyAsync(AnswersAsync, "the server takes connections");
    }

    /// <summary>Stops it as an administrator does: its connections are ended, and new ones refused.</summary>
    public async Task StopAsync()
    {
        await SignalAsync("INT", _server);
        await TestService.EventuallyAsync(() => Task.FromResult(!IsAlive(_server)), "the server has stopped");
        await EndShellAsync();
    }

    /// <summary>Stops it from running, all its processes, while its connections stay open.</summary>
    public async Task FreezeAsync()
    {
        // First who could start another one.
        await SignalAsync("STOP", _server);
        await SignalAsync("STOP", Children(_server));
    }

    /// <summary>Lets it go on where it was.</summary>
    public Task ThawAsync() => SignalAsync("CONT", [_server, .. Children(_server)]);

    /// <summary>Ends every connection but the asking one.</summary>
    public Task<long> KillConnectionsAsync() => ScalarAsync<long>(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()");

    /// <summary>Asks it over a connection of its own.</summary>
    public async Task<T> ScalarAsync<T>(string sql)
    {
        await using var connection = await ConnectAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return (T)(await command.ExecuteScalarAsync()).ShouldNotBeNull();
    }

    /// <summary>A connection of no pool.</summary>
    public async Task<NpgsqlConnection> ConnectAsync()
    {
        var connection = new NpgsqlConnection(ConnectionString + "Pooling=false;Application Name=test");
        await connection.OpenAsync();
        return connection;
    }

    public async ValueTask DisposeAsync()
    {
        await EndShellAsync();
        _folder.Delete(recursive: true);
    }

    private static string Program(string name) => Path.Combine(PostgreSqlInstallation.Programs.ShouldNotBeNull(), name);

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static int[] Children(int process) =>
        [.. File.ReadAllText($"/proc/{process}/task/{process}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(child => int.Parse(child, CultureInfo.InvariantCulture))];

    private static bool IsAlive(int process)
    {
        try
        {
            // Who has ended, and whose shell has not asked how, is a zombie until it does.
            return !File.ReadAllText($"/proc/{process}/stat").Contains(") Z ", StringComparison.Ordinal);
        }
        catch (IOException)
        {
            return false;
        }
    }

    // .NET can only kill; the shell knows the other signals. One of the processes may have ended by itself meanwhile.
    private static async Task SignalAsync(string signal, params int[] processes)
    {
        using var shell = Process.Start("/bin/sh", ["-c", $"kill -{signal} {string.Join(' ', processes)} 2> /dev/null"]);
        await shell.WaitForExitAsync();
    }

    private async Task<bool> AnswersAsync()
    {
        _shell!.HasExited.ShouldBeFalse("The server has ended.");
        try
        {
            return await ScalarAsync<int>("SELECT 1") == 1;
        }
        catch (NpgsqlException)
        {
            return false;
        }
    }

    private async Task EndShellAsync()
    {
        if (_shell is not { } shell)
        {
            return;
        }

        _shell = null;
        shell.StandardInput.Close();
        await shell.WaitForExitAsync();
        shell.Dispose();
    }
}
