using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using FailureDrill.Agencies;
using FailureDrill.Processes;
using Npgsql;

namespace FailureDrill.Databases;

/// <summary>A real PostgreSQL with its data in a temporary folder; ends with this program, however that goes.</summary>
internal sealed class PostgreSqlServer : IUpstream
{
    // A shell stands between: when its input ends, so does the server, even where we were killed.
    private const string UntilInputEnds = """
        "$@" > /dev/null 2>&1 & server=$!
        echo $server
        read -r _
        kill -KILL $server $(cat /proc/$server/task/$server/children)
        wait $server
        """;

    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(15);

    private readonly DirectoryInfo _folder;
    private readonly int _port = FreePort();
    private Process? _shell;
    private int _server;

    private PostgreSqlServer(DirectoryInfo folder) => _folder = folder;

    // As the driver has it by itself, but for the size of the pool.
    public IReadOnlyList<string> Arguments => ["--database", $"{ConnectionString};Maximum Pool Size=20"];

    private string ConnectionString => string.Create(CultureInfo.InvariantCulture, $"Host=127.0.0.1;Port={_port};Username=drill;Database=postgres");

    private string Data => Path.Combine(_folder.FullName, "data");

    /// <exception cref="ServiceException">It could not be started.</exception>
    public static async Task<PostgreSqlServer> StartAsync(CancellationToken cancellationToken)
    {
        var server = new PostgreSqlServer(await PostgreSqlInstallation.CreateFolderAsync(cancellationToken));
        try
        {
            await server.InitializeAsync(cancellationToken);
            await server.RunAsync(cancellationToken);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Stops all its processes where they are; its connections stay open.</summary>
    public async Task FreezeAsync(CancellationToken cancellationToken)
    {
        // First the one that could start others.
        await SignalAsync("STOP", [_server], cancellationToken);
        await SignalAsync("STOP", Children(), cancellationToken);
    }

    /// <summary>Lets them go on.</summary>
    public Task ThawAsync(CancellationToken cancellationToken) => SignalAsync("CONT", [_server, .. Children()], cancellationToken);

    public async ValueTask DisposeAsync()
    {
        if (_shell is not null)
        {
            _shell.StandardInput.Close();
            await _shell.WaitForExitAsync();
            _shell.Dispose();
        }

        _folder.Delete(recursive: true);
    }

    private async Task InitializeAsync(CancellationToken cancellationToken)
    {
        string[] command = [PostgreSqlInstallation.PathOf("initdb"), "--pgdata", Data, "--username", "drill", "--auth", "trust", "--no-sync", "--locale", "C", "--encoding", "UTF8"];
        using var initdb = Process.Start(PostgreSqlInstallation.Describe(command))!;
        var said = initdb.StandardOutput.ReadToEndAsync(cancellationToken);
        var complained = initdb.StandardError.ReadToEndAsync(cancellationToken);
        await initdb.WaitForExitAsync(cancellationToken);
        if (initdb.ExitCode != 0)
        {
            throw new ServiceException($"initdb failed. It said:{Environment.NewLine}{await said}{await complained}");
        }
    }

    private async Task RunAsync(CancellationToken cancellationToken)
    {
        string[] command =
        [
            "/bin/sh", "-c", UntilInputEnds, "sh", PostgreSqlInstallation.PathOf("postgres"), "-D", Data, "-p", _port.ToString(CultureInfo.InvariantCulture),
            "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "fsync=off", "-c", "shared_buffers=16MB",
        ];
        _shell = Process.Start(PostgreSqlInstallation.Describe(command))!;
        _server = int.Parse((await _shell.StandardOutput.ReadLineAsync(cancellationToken))!, CultureInfo.InvariantCulture);

        var started = Stopwatch.GetTimestamp();
        while (!await TryFillAsync(cancellationToken))
        {
            if (Stopwatch.GetElapsedTime(started) > StartLimit)
            {
                throw new ServiceException($"PostgreSQL did not take connections within {StartLimit.TotalSeconds} s.");
            }

            await Task.Delay(TimeSpan.FromMilliseconds(20), cancellationToken);
        }
    }

    private async Task<bool> TryFillAsync(CancellationToken cancellationToken)
    {
        try
        {
            await using var connection = new NpgsqlConnection($"{ConnectionString};Pooling=false");
            await connection.OpenAsync(cancellationToken);
            await using var command = new NpgsqlCommand("CREATE TABLE bookings AS SELECT generate_series(1, 100) AS id", connection);
            await command.ExecuteNonQueryAsync(cancellationToken);
            return true;
        }
        catch (NpgsqlException)
        {
            // It is not there yet, or says that it is starting up.
            return false;
        }
    }

    private int[] Children() =>
        [.. File.ReadAllText($"/proc/{_server}/task/{_server}/children").Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(child => int.Parse(child, CultureInfo.InvariantCulture))];

    // .NET can only kill; the shell knows the other signals. A child may have ended by itself meanwhile.
    private static async Task SignalAsync(string signal, int[] processes, CancellationToken cancellationToken)
    {
        using var shell = Process.Start("/bin/sh", ["-c", $"kill -{signal} {string.Join(' ', processes)} 2> /dev/null"]);
        await shell.WaitForExitAsync(cancellationToken);
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, port: 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
