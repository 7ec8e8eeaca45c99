using System.Diagnostics;
using System.Runtime.InteropServices;

namespace ResilientHost.IntegrationTests.Workers;

/// <summary>A <see cref="WorkerProgram"/> in a child process, and what it says.</summary>
internal sealed class WorkerProcess : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TestService.Patience * 3;

    private readonly Process _process;
    private readonly Lock _gate = new();
    private readonly List<string> _said = [];
    private TaskCompletionSource _more = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private WorkerProcess(Process process) => _process = process;

    /// <summary>What it has written so far, standard output and error.</summary>
    public IReadOnlyList<string> Said
    {
        get
        {
            lock (_gate)
            {
                return [.. _said];
            }
        }
    }

    public bool IsAlive => !_process.HasExited;

    /// <param name="program">See <see cref="WorkerProgram.Variable"/>.</param>
    /// <param name="settings">Configuration, such as <c>Resilience:Workers:Default:MaxRestarts</c>.</param>
    public static WorkerProcess Start(string program, params (string Key, string Value)[] settings)
    {
        var start = new ProcessStartInfo(DotnetPath(), [typeof(WorkerProgram).Assembly.Location])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Path.GetTempPath(),
        };
        start.Environment[WorkerProgram.Variable] = program;
        start.Environment["DOTNET_STARTUP_HOOKS"] = typeof(WorkerProgram).Assembly.Location;
        start.Environment["DOTNET_DbgEnableMiniDump"] = "0";
        start.Environment["Resilience__Workers__Default__RestartDelay"] = "00:00:00.010";
        foreach (var (key, value) in settings)
        {
            start.Environment[key.Replace(":", "__", StringComparison.Ordinal)] = value;
        }

        var child = new WorkerProcess(Process.Start(start).ShouldNotBeNull());
        child._process.OutputDataReceived += child.Hear;
        child._process.ErrorDataReceived += child.Hear;
        child._process.BeginOutputReadLine();
        child._process.BeginErrorReadLine();
        return child;
    }

    public async Task<string> WaitForAsync(string text)
    {
        using var patience = new CancellationTokenSource(Patience);
        while (true)
        {
            Task more;
            lock (_gate)
            {
                if (_said.Find(line => line.Contains(text, StringComparison.Ordinal)) is { } found)
                {
                    return found;
                }

                more = _more.Task;
            }

            try
            {
                await more.WaitAsync(patience.Token);
            }
            catch (OperationCanceledException exception)
            {
                throw new TimeoutException($"It never said '{text}', but:\n{string.Join('\n', Said)}", exception);
            }
        }
    }

    public void Terminate() => Kill(_process.Id, 15).ShouldBe(0);

    /// <summary>Waits for its end and the last word it said.</summary>
    public async Task<int> ExitCodeAsync()
    {
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            await _process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException exception)
        {
            throw new TimeoutException($"It did not end, but said:\n{string.Join('\n', Said)}", exception);
        }

        return _process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        _process.Kill(entireProcessTree: true);
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private void Hear(object sender, DataReceivedEventArgs args)
    {
        if (args.Data is { } line)
        {
            lock (_gate)
            {
                _said.Add(line);
                _more.TrySetResult();
                _more = new(TaskCreationOptions.RunContinuationsAsynchronously);
            }
        }
    }

    // The one that runs us: <root>/shared/Microsoft.NETCore.App/<version>/
    private static string DotnetPath() => Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", "dotnet"));

    [DllImport("libc", EntryPoint = "kill")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Kill(int pid, int signal);
}
