using System.Diagnostics;
using System.Globalization;

namespace ResilientHost.Benchmarks.Http;

/// <summary>The load generator: HTTP/1.1 over connections that are kept, each sending its next request when the last is answered. It speaks no HTTP/2.</summary>
internal static class Wrk
{
    public const int Connections = 32;
    private const string Program = "wrk";

    public static bool IsInstalled { get; } = Programs.IsInstalled(Program);

    /// <exception cref="FormatException">It said something else than a report.</exception>
    public static async Task<WrkReport> RunAsync(Uri address, int seconds, CancellationToken cancellationToken)
    {
        // Two threads: a single one could be what is measured, where the server needs less than its client.
        using var wrk = Process.Start(new ProcessStartInfo(
            Program,
            ["-t2", string.Create(CultureInfo.InvariantCulture, $"-c{Connections}"), string.Create(CultureInfo.InvariantCulture, $"-d{seconds}s"), "--latency", "--timeout", "5s", address.AbsoluteUri])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        })!;
        try
        {
            var errors = wrk.StandardError.ReadToEndAsync(cancellationToken);
            var report = await wrk.StandardOutput.ReadToEndAsync(cancellationToken);
            await wrk.WaitForExitAsync(cancellationToken);
            return WrkReport.Parse(report + await errors);
        }
        catch
        {
            wrk.Kill();
            throw;
        }
    }
}
