using System.Diagnostics;
using System.Globalization;

namespace FailureDrill.Databases;

/// <summary>The server programs of this machine, and as whom they run.</summary>
internal static class PostgreSqlInstallation
{
    // The server refuses to run as root; packages come with this user.
    private const string User = "postgres";

    private static readonly string? Folder = Candidates().FirstOrDefault(folder => File.Exists(Path.Combine(folder, "initdb")) && File.Exists(Path.Combine(folder, "postgres")));

    /// <summary>Why no server can be run here; <see langword="null"/>: one can.</summary>
    public static string? WhyNot { get; } =
        !OperatingSystem.IsLinux() ? "the server is frozen by signals to its processes, which are found as Linux shows them"
        : Folder is null ? "no PostgreSQL server is installed (Debian: apt-get install postgresql)"
        : Environment.IsPrivilegedProcess && !File.ReadLines("/etc/passwd").Any(line => line.StartsWith($"{User}:", StringComparison.Ordinal)) ? $"this is root, as whom the server refuses to run, and there is no user '{User}'"
        : null;

    /// <summary>Where that program is.</summary>
    public static string PathOf(string program) => Path.Combine(Folder!, program);

    /// <summary>How a program is started as somebody whom the server accepts.</summary>
    public static ProcessStartInfo Describe(params IReadOnlyList<string> command)
    {
        if (Environment.IsPrivilegedProcess)
        {
            command = ["setpriv", $"--reuid={User}", $"--regid={User}", "--clear-groups", "--", .. command];
        }

        return new ProcessStartInfo(command[0], command.Skip(1))
        {
            // Who is somebody else may not be where we are.
            WorkingDirectory = "/",
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
    }

    /// <summary>A new folder of whom the server runs as.</summary>
    public static async Task<DirectoryInfo> CreateFolderAsync(CancellationToken cancellationToken)
    {
        var folder = Directory.CreateTempSubdirectory("failure-drill-postgresql");
        if (Environment.IsPrivilegedProcess)
        {
            using var chown = Process.Start("chown", [User, folder.FullName]);
            await chown.WaitForExitAsync(cancellationToken);
        }

        return folder;
    }

    private static IEnumerable<string> Candidates() =>
    [
        .. Versions("/usr/lib/postgresql", "*"),
        .. Versions("/usr", "pgsql-*"),
        .. (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries),
    ];

    // The latest first; by number, for 9.6 is older than 15.
    private static IEnumerable<string> Versions(string root, string pattern) => Directory.Exists(root)
        ? Directory.EnumerateDirectories(root, pattern)
            .OrderByDescending(folder => double.TryParse(Path.GetFileName(folder).Split('-')[^1], CultureInfo.InvariantCulture, out var version) ? version : 0)
            .Select(folder => Path.Combine(folder, "bin"))
        : [];
}
