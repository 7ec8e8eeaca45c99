using System.Runtime.InteropServices;

namespace ResilientHost.Benchmarks.Ratios;

/// <summary>Where committed figures go, and what is said of their origin.</summary>
internal static class Repository
{
    /// <summary>What is measured on, and when: figures without it say nothing.</summary>
    public static string Machine() =>
        $"{RuntimeInformation.OSDescription}, {Environment.ProcessorCount} processors ({RuntimeInformation.ProcessArchitecture}), {RuntimeInformation.FrameworkDescription}, {DateTime.UtcNow:yyyy-MM-dd}";

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
}
