using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace FailureDrill.Processes;

/// <summary>A service as a child process on a free port; ends with this program, however that goes.</summary>
internal sealed partial class ServiceProcess : IAsyncDisposable
{
    private static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(20);

    private readonly Process _process;
    private readonly Queue<string> _firstLines = new();
    private readonly TaskCompletionSource<Uri> _address = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly string? _telling;
    private long _lines;
    private long _tellingLines;

    private ServiceProcess(ProcessStartInfo start, string name, string? telling)
    {
        _telling = telling;
        _process = new Process { StartInfo = start, EnableRaisingEvents = true };
        _process.OutputDataReceived += (_, output) => OnLine(output.Data);
        _process.ErrorDataReceived += (_, output) => OnLine(output.Data);
        _process.Exited += (_, _) => _address.TrySetException(new ServiceException($"{name} ended before it was ready."));
    }

    public bool IsAlive => !_process.HasExited;

    /// <summary>With what it ended; <see langword="null"/> while it lives.</summary>
    public int? ExitCode => _process.HasExited ? _process.ExitCode : null;

    /// <summary>Lines that the service wrote to its log so far.</summary>
    public long LogLines => Interlocked.Read(ref _lines);

    /// <summary>Those of them that say <see cref="ServiceProgram.Telling"/>.</summary>
    public long TellingLines => Interlocked.Read(ref _tellingLines);

    public static async Task<(ServiceProcess Process, Uri Address)> StartAsync(ServiceProgram program, bool layers, CancellationToken cancellationToken)
    {
        var service = new ServiceProcess(Describe(program, layers), program.Name, program.Telling);
        try
        {
            service._process.Start();
            service._process.BeginOutputReadLine();
            service._process.BeginErrorReadLine();
            return (service, await service._address.Task.WaitAsync(StartLimit, cancellationToken));
        }
        catch (Exception exception) when (exception is TimeoutException or ServiceException)
        {
            await service.DisposeAsync();
            throw new ServiceException($"{program.Name} did not start. It said:{Environment.NewLine}{service.FirstLines()}");
        }
        catch
        {
            await service.DisposeAsync();
            throw;
        }
    }

    /// <summary>Asks it to stop, as an orchestrator does.</summary>
    /// <exception cref="ServiceException">There is nobody to ask.</exception>
    public async Task TerminateAsync(CancellationToken cancellationToken)
    {
        // .NET can only kill; the shell knows the other signals.
        using var shell = Process.Start("/bin/sh", ["-c", string.Create(CultureInfo.InvariantCulture, $"kill -TERM {_process.Id}")]);
        await shell.WaitForExitAsync(cancellationToken);
        if (shell.ExitCode != 0)
        {
            throw new ServiceException("SIGTERM could not be sent.");
        }
    }

    /// <summary>Ends it at once, as <c>kill -9</c> does.</summary>
    public void Kill() => _process.Kill();

    /// <summary>Waits until it has ended; tells whether it did in time.</summary>
    public async Task<bool> WaitForEndAsync(TimeSpan limit, CancellationToken cancellationToken)
    {
        try
        {
            await _process.WaitForExitAsync(cancellationToken).WaitAsync(limit, cancellationToken);
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync();
        }
        catch (InvalidOperationException)
        {
            // It never started.
        }

        _process.Dispose();
    }

    private static ProcessStartInfo Describe(ServiceProgram program, bool layers)
    {
        string[] command = [DotnetHost.Path, program.Assembly, .. program.Arguments];
        if (program.MaxDescriptors is { } limit)
        {
            // Soft and hard limit, for .NET raises the soft one. The shell becomes the service: its process is the one that we end.
            command = ["/bin/sh", "-c", $"ulimit -n {limit} && exec \"$0\" \"$@\"", .. command];
        }

        var start = new ProcessStartInfo(command[0], command[1..])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };

        // Whoever runs the drill may have settings of their own services in the environment.
        string[] foreign = ["ASPNETCORE_", "DOTNET_ENVIRONMENT", "DOTNET_URLS", "DOTNET_GC", "Resilience", "Logging", "Kestrel", "Urls", "Faults", "ConnectionStrings", "Operators", "OTEL_", "Serilog"];
        foreach (var name in start.Environment.Keys.Where(name => foreign.Any(prefix => name.StartsWith(prefix, StringComparison.OrdinalIgnoreCase))).ToArray())
        {
            start.Environment.Remove(name);
        }

        start.Environment["ASPNETCORE_ENVIRONMENT"] = "Production";
        start.Environment["Resilience__Enabled"] = layers ? "true" : "false";

        // One line for each request is traffic. What the drills count is what failures add to the log.
        start.Environment["Logging__LogLevel__ResilientHost.Requests"] = "None";

        // It lives for seconds: watching what could be compiled better costs more than it brings.
        start.Environment["DOTNET_TieredPGO"] = "0";

        // The service ends when its standard input does: it cannot outlive us even when we are killed.
        start.Environment["ExitWithParent"] = "true";
        if (program.MaxHeapBytes is { } heap)
        {
            start.Environment["DOTNET_GCHeapHardLimit"] = heap.ToString("x", CultureInfo.InvariantCulture);
        }

        return start;
    }

    [GeneratedRegex(@"Now listening on: [\\""]*(?<address>http://127\.0\.0\.1:\d+)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex ListeningLine();

    private void OnLine(string? line)
    {
        if (line is null)
        {
            return;
        }

        Interlocked.Increment(ref _lines);
        if (_telling is not null && line.Contains(_telling, StringComparison.OrdinalIgnoreCase))
        {
            Interlocked.Increment(ref _tellingLines);
        }

        if (_address.Task.IsCompleted)
        {
            return;
        }

        lock (_firstLines)
        {
            if (_firstLines.Count < 100)
            {
                _firstLines.Enqueue(line);
            }
        }

        if (ListeningLine().Match(line) is { Success: true } match)
        {
            _address.TrySetResult(new Uri(match.Groups["address"].Value));
        }
    }

    private string FirstLines()
    {
        lock (_firstLines)
        {
            return string.Join(Environment.NewLine, _firstLines);
        }
    }
}
