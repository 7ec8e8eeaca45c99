using System.Diagnostics;
using System.Globalization;

namespace ResilientHost.IntegrationTests.Connections;

/// <summary>The service of <see cref="DoorService"/> as a child process with a lowered limit of descriptors.</summary>
internal sealed class DoorProcess : IAsyncDisposable
{
    private readonly Process _process;

    private DoorProcess(Process process, Uri address) => (_process, Address) = (process, address);

    public Uri Address { get; }

    public bool IsAlive => !_process.HasExited;

    public int ExitCode => _process.ExitCode;

    /// <summary>Processor time so far.</summary>
    public TimeSpan ProcessorTime
    {
        get
        {
            _process.Refresh();
            return _process.TotalProcessorTime;
        }
    }

    public static async Task<DoorProcess> StartAsync(bool isGuarded, int limit, bool tiered = true)
    {
        var start = new ProcessStartInfo("/bin/sh", ["-c", "ulimit -n \"$0\" && exec \"$@\"", limit.ToString(CultureInfo.InvariantCulture), DotnetPath(), typeof(DoorService).Assembly.Location])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment[DoorService.Variable] = isGuarded ? "guarded" : "unguarded";
        start.Environment["DOTNET_TieredCompilation"] = tiered ? "1" : "0";
        start.Environment["DOTNET_DbgEnableMiniDump"] = "0";
        var process = Process.Start(start).ShouldNotBeNull();
        var said = new List<string>();
        process.ErrorDataReceived += static (_, _) => { };
        process.BeginErrorReadLine();
        using var patience = new CancellationTokenSource(TestService.Patience * 3);
        try
        {
            while (await process.StandardOutput.ReadLineAsync(patience.Token) is { } line)
            {
                const string Marker = "Listening on ";
                if (line.StartsWith(Marker, StringComparison.Ordinal))
                {
                    return new DoorProcess(process, new Uri(line[Marker.Length..]));
                }

                said.Add(line);
            }
        }
        catch
        {
            await EndAsync(process);
            throw;
        }

        await EndAsync(process);
        throw new InvalidOperationException($"The service did not start. It said: {string.Join('\n', said)}");
    }

    public async ValueTask DisposeAsync() => await EndAsync(_process);

    private static async Task EndAsync(Process process)
    {
        process.Kill(entireProcessTree: true);
        await process.WaitForExitAsync();
        process.Dispose();
    }

    // The one that runs us: <root>/shared/Microsoft.NETCore.App/<version>/
    private static string DotnetPath() =>
        Path.GetFullPath(Path.Combine(System.Runtime.InteropServices.RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", "dotnet"));
}
