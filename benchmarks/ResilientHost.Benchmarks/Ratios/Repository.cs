using System.Runtime.InteropServices;

namespace ResilientHost.Benchmarks.Ratios;

/// <summary>Where committed figures go, and what is said of their origin.</summary>
internal static class Repository
{
    /// <summary>What is measured on, and when: figures without it say nothing.</summary>
    public static string Machine() =>
        $"{RuntimeInformation.OSDescription}, {Environment.ProcessorCount} processors ({Processor()}), {RuntimeInformation.FrameworkDescription}, {DateTime.UtcNow:yyyy-MM-dd}";

    /// <exception cref="DirectoryNotFoundException">The program does not lie in the repository.</exception>
    public static string BenchmarksFolder()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (folder.Name == "benchmarks" && File.Exists(Path.Combine(folder.FullName, "README.md")))
            {
                return folder.FullName;
            }
        }

        throw new DirectoryNotFoundException("--publish runs from the repository: no folder 'benchmarks' with a README.md above the program.");
    }

    // Ratios differ by some tenths between makers: an interlocked instruction, an exception and a look at the clock do not cost the same parts of each.
    private static string Processor()
    {
        const string CpuInfo = "/proc/cpuinfo";
        var model = File.Exists(CpuInfo) ? File.ReadLines(CpuInfo).FirstOrDefault(static line => line.StartsWith("model name", StringComparison.Ordinal)) : null;
        return model?.Split(':', 2) is [_, var name] ? $"{RuntimeInformation.ProcessArchitecture}, {name.Trim()}" : RuntimeInformation.ProcessArchitecture.ToString();
    }
}
