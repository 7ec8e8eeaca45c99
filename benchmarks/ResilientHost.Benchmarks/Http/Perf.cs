using System.Diagnostics;
using System.Globalization;

namespace ResilientHost.Benchmarks.Http;

/// <summary>Linux's profiler: samples what a process executes by the clock of its processors, with the stack at that moment.</summary>
internal static class Perf
{
    // A prime near two thousand a second, so that nothing that comes at round times comes always between two samples.
    private const int SamplesPerSecond = 1999;
    private const string Program = "perf";

    // Where perf looks for the names of what was compiled at run time, and nowhere else.
    private const string NamesFolder = "/tmp";

    public static bool IsInstalled { get; } = Programs.IsInstalled(Program);

    /// <summary>What a process of .NET needs to be told so that the profiler can name what was compiled at run time.</summary>
    public static IReadOnlyDictionary<string, string> RuntimeSettings { get; } = new Dictionary<string, string>
    {
        ["DOTNET_PerfMapEnabled"] = "1",
        ["DOTNET_PerfMapJitDumpPath"] = NamesFolder,
        ["DOTNET_EnableWriteXorExecute"] = "0",
    };

    /// <summary>Samples a process for a time and gives the stack of each sample, the innermost frame first.</summary>
    /// <exception cref="InvalidOperationException">It may not sample this process; it says why.</exception>
    public static async Task<List<string[]>> SampleAsync(int processId, int seconds, CancellationToken cancellationToken)
    {
        var file = Path.GetTempFileName();
        try
        {
            var id = processId.ToString(CultureInfo.InvariantCulture);
            await RunAsync(
                ["record", "-g", "-e", "cpu-clock", "-F", SamplesPerSecond.ToString(CultureInfo.InvariantCulture), "-p", id, "-o", file, "--", "sleep", seconds.ToString(CultureInfo.InvariantCulture)],
                static _ => { },
                cancellationToken);
            return await StacksAsync(file, cancellationToken);
        }
        finally
        {
            File.Delete(file);
            File.Delete($"{NamesFolder}/perf-{processId}.map");
            File.Delete($"{NamesFolder}/perfinfo-{processId}.map");
        }
    }

    // Samples come as blocks of lines, a frame each: an address and a name.
    private static async Task<List<string[]>> StacksAsync(string file, CancellationToken cancellationToken)
    {
        List<string[]> stacks = [];
        List<string> frames = [];
        await RunAsync(["script", "-i", file, "-F", "ip,sym"], Take, cancellationToken);
        Take(string.Empty);
        return stacks;

        void Take(string line)
        {
            var frame = line.Trim();
            if (frame.Length > 0)
            {
                frames.Add(frame[(frame.IndexOf(' ', StringComparison.Ordinal) + 1)..]);
            }
            else if (frames.Count > 0)
            {
                stacks.Add([.. frames]);
                frames.Clear();
            }
        }
    }

    private static async Task RunAsync(IReadOnlyList<string> arguments, Action<string> take, CancellationToken cancellationToken)
    {
        using var perf = Process.Start(new ProcessStartInfo(Program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false })!;
        try
        {
            var errors = perf.StandardError.ReadToEndAsync(cancellationToken);
            while (await perf.StandardOutput.ReadLineAsync(cancellationToken) is { } line)
            {
                take(line);
            }

            await perf.WaitForExitAsync(cancellationToken);
            if (perf.ExitCode != 0)
            {
                throw new InvalidOperationException($"perf {arguments[0]} failed: {await errors}");
            }
        }
        catch
        {
            perf.Kill();
            throw;
        }
    }
}
