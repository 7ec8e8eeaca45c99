namespace ResilientHost.Benchmarks.Http;

/// <summary>The machine's own programs.</summary>
internal static class Programs
{
    public static bool IsInstalled(string name) => (Environment.GetEnvironmentVariable("PATH") ?? string.Empty)
        .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
        .Any(folder => File.Exists(Path.Combine(folder, name)));
}
