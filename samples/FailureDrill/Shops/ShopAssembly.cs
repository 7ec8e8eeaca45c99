using System.Reflection;
using System.Runtime.InteropServices;

namespace FailureDrill.Shops;

/// <summary>Where the shop's program and the <c>dotnet</c> host are.</summary>
internal static class ShopAssembly
{
    /// <summary>The shop's assembly; the build wrote its place, relative to ours, into our metadata.</summary>
    public static string Path { get; } = Locate();

    /// <summary>The <c>dotnet</c> that runs us, so that the shop runs on the same runtime.</summary>
    public static string DotnetHost { get; } = LocateHost();

    private static string Locate()
    {
        var relative = typeof(ShopAssembly).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
            .First(attribute => attribute.Key == "Storefront").Value!;
        var path = System.IO.Path.GetFullPath(System.IO.Path.Combine(AppContext.BaseDirectory, relative));
        return File.Exists(path) ? path : throw new ShopException($"Storefront is not at {path}; build samples/FailureDrill first.");
    }

    private static string LocateHost()
    {
        // <root>/shared/Microsoft.NETCore.App/<version>/
        var root = System.IO.Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..");
        var host = System.IO.Path.GetFullPath(System.IO.Path.Combine(root, OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet"));
        return File.Exists(host) ? host : "dotnet";
    }
}
