using System.Diagnostics;

namespace ResilientHost.IntegrationTests.PostgreSql;

/// <summary>The server programs of this machine, and as whom they run.</summary>
internal static class PostgreSqlInstallation
{
    /// <summary>Set where a missing server is an error and no reason to skip, as in CI.</summary>
    public const string RequiredVariable = "RESILIENT_HOST_REQUIRE_POSTGRESQL";

    // The server refuses to run as root; Debian's package comes with this user.
    private const string User = "postgres";

    /// <summary>Where initdb and postgres are; <see langword="null"/>: nowhere.</summary>
    public static string? Programs { get; } = Candidates().FirstOrDefault(folder => File.Exists(Path.Combine(folder, "initdb")) && File.Exists(Path.Combine(folder, "postgres")));

    private static bool IsRoot => Environment.IsPrivilegedProcess;

    /// <summary>Skips the test, and says why, where there is no server; fails it where there must be one.</summary>
    public static void SkipIfMissing()
    {
        if (Missing() is not { } reason)
        {
            return;
        }

        if (Environment.GetEnvironmentVariable(RequiredVariable) == "1")
        {
            Assert.Fail($"{RequiredVariable} is set, but {reason}");
        }

        Assert.Skip($"{reason} Debian: apt-get install postgresql.");
    }

    /// <summary>How a program is started as somebody whom the server accepts.</summary>
    public static ProcessStartInfo Start(string program, params ReadOnlySpan<string> arguments)
    {
        string[] drop = IsRoot ? ["setpriv", $"--reuid={User}", $"--regid={User}", "--clear-groups", "--"] : [];
        string[] command = [.. drop, program, .. arguments];
        return new ProcessStartInfo(command[0], command[1..])
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = "/",
        };
    }

    /// <summary>Gives a folder to whom the server runs as.</summary>
    public static Task OwnAsync(string folder) => IsRoot ? RunAsync(new ProcessStartInfo("chown", [User, folder])) : Task.CompletedTask;

    /// <summary>Runs a program to its end, which must be a good one.</summary>
    public static async Task RunAsync(ProcessStartInfo start)
    {
        start.RedirectStandardOutput = true;
        start.RedirectStandardError = true;
        using var patience = new CancellationTokenSource(TestService.Patience * 3);
        using var process = Process.Start(start).ShouldNotBeNull();
        var said = Task.WhenAll(process.StandardOutput.ReadToEndAsync(patience.Token), process.StandardError.ReadToEndAsync(patience.Token));
        try
        {
            await process.WaitForExitAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }

        process.ExitCode.ShouldBe(0, string.Concat(await said));
    }

    private static string? Missing() => OperatingSystem.IsWindows()
        ? "these tests freeze the server with signals, which Windows does not have."
        : Programs is null
        ? "no PostgreSQL server is installed (looked in /usr/lib/postgresql/*/bin, /usr/pgsql-*/bin, PATH)."
        : IsRoot && !File.ReadLines("/etc/passwd").Any(line => line.StartsWith($"{User}:", StringComparison.Ordinal))
        ? $"the tests run as root, the server refuses to, and there is no user '{User}'."
        : null;

    private static IEnumerable<string> Candidates() =>
    [
        .. Versions("/usr/lib/postgresql", "*", "bin"),
        .. Versions("/usr", "pgsql-*", "bin"),
        .. (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries),
    ];

    // The latest first; by number, for 9.6 is older than 15.
    private static IEnumerable<string> Versions(string root, string pattern, string folder) => Directory.Exists(root)
        ? Directory.EnumerateDirectories(root, pattern)
            .OrderByDescending(version => double.TryParse(Path.GetFileName(version).Split('-')[^1], System.Globalization.CultureInfo.InvariantCulture, out var number) ? number : 0)
            .Select(version => Path.Combine(version, folder))
        : [];
}
