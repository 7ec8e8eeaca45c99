using System.Runtime.InteropServices;

namespace FailureDrill.Processes;

/// <summary>The <c>dotnet</c> that runs us, so that services run on the same runtime.</summary>
internal static class DotnetHost
{
    public static string Path { get; } = Locate();

    private static string Locate()
    {
        // <root>/shared/Microsoft.NETCore.App/<version>/
        var root = System.IO.Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..");
        var host = System.IO.Path.GetFullPath(System.IO.Path.Combine(root, OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet"));
        return File.Exists(host) ? host : "dotnet";
    }
}
