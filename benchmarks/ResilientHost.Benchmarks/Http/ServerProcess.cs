using System.Collections.ObjectModel;
using System.Diagnostics;
using ResilientHost.Benchmarks.Ratios;

namespace ResilientHost.Benchmarks.Http;

/// <summary>This program once more, as a server of its own on a free port, with the collector that web applications run with.</summary>
internal sealed class ServerProcess : IDisposable
{
    /// <summary>What a server says when it listens, before the address.</summary>
    public const string Listening = "listening on ";

    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(30);

    private readonly Process _process;

    private ServerProcess(Process process) => _process = process;

    public int Id => _process.Id;

    public Uri Address { get; private set; } = null!;

    /// <summary>Further lines that the server writes.</summary>
    public StreamReader Output => _process.StandardOutput;

    /// <summary>Nanoseconds of CPU that all its threads have used, in user and in kernel mode.</summary>
    /// <exception cref="InvalidOperationException">The server has ended.</exception>
    public long CpuNanoseconds() => CpuClock.NanosecondsOf(_process.Id) ?? throw new InvalidOperationException("A server has ended while it was measured.");

    /// <param name="arguments">Which of this program's servers.</param>
    /// <param name="cancellationToken">Ends the server that has not started.</param>
    /// <param name="environment">Settings of the runtime besides those that a web application has.</param>
    /// <exception cref="InvalidOperationException">The server ended before it listened; it said why on the error output.</exception>
    /// <exception cref="TimeoutException">It did not listen in time.</exception>
    public static async Task<ServerProcess> StartAsync(IReadOnlyList<string> arguments, CancellationToken cancellationToken, IReadOnlyDictionary<string, string>? environment = null)
    {
        var server = new ServerProcess(Process.Start(Describe(arguments, environment ?? ReadOnlyDictionary<string, string>.Empty))!);
        try
        {
            var line = await server.Output.ReadLineAsync(cancellationToken).AsTask().WaitAsync(StartLimit, cancellationToken);
            server.Address = line?.StartsWith(Listening, StringComparison.Ordinal) == true
                ? new Uri(line[Listening.Length..])
                : throw new InvalidOperationException($"The server '{string.Join(' ', arguments)}' did not start; it said: {line}");
            return server;
        }
        catch
        {
            server.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        _process.Kill();
        _process.WaitForExit();
        _process.Dispose();
    }

    private static ProcessStartInfo Describe(IReadOnlyList<string> arguments, IReadOnlyDictionary<string, string> environment)
    {
        // Started by `dotnet X.dll` the program is the runtime's own, and X.dll its first argument.
        var program = Environment.ProcessPath!;
        string[] assembly = Path.GetFileNameWithoutExtension(program) == "dotnet" ? [Environment.GetCommandLineArgs()[0]] : [];
        var start = new ProcessStartInfo(program, [.. assembly, .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            UseShellExecute = false,
            WorkingDirectory = AppContext.BaseDirectory,
        };

        // Whoever measures may have settings of their own in the environment.
        string[] foreign = ["ASPNETCORE_", "DOTNET_", "COMPlus_", "Resilience", "Logging", "Kestrel", "Urls"];
        foreach (var name in start.Environment.Keys.Where(name => foreign.Any(prefix => name.StartsWith(prefix, StringComparison.OrdinalIgnoreCase)) && !name.StartsWith("DOTNET_ROOT", StringComparison.Ordinal)).ToArray())
        {
            start.Environment.Remove(name);
        }

        // As the web SDK sets them; this program's own are others.
        start.Environment["DOTNET_gcServer"] = "1";
        start.Environment["DOTNET_gcConcurrent"] = "1";
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        return start;
    }
}
