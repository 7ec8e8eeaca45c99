using System.Reflection;
using FailureDrill.Processes;

namespace FailureDrill.Shops;

/// <summary>Where the shop's program is.</summary>
internal static class ShopAssembly
{
    /// <summary>The shop's assembly; the build wrote its place, relative to ours, into our metadata.</summary>
    public static string Path { get; } = Locate();

    private static string Locate()
    {
        var relative = typeof(ShopAssembly).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
            .First(attribute => attribute.Key == "Storefront").Value!;
        var path = System.IO.Path.GetFullPath(System.IO.Path.Combine(AppContext.BaseDirectory, relative));
        return File.Exists(path) ? path : throw new ServiceException($"Storefront is not at {path}; build samples/FailureDrill first.");
    }
}
