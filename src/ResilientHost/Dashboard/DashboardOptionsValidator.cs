using Microsoft.Extensions.Hosting;
using ResilientHost.Hosting;

namespace ResilientHost.Dashboard;

/// <summary>The bounds of <see cref="DashboardOptions"/>; all errors at once.</summary>
internal static class DashboardOptionsValidator
{
    /// <summary>What is wrong with the options; the environment makes no difference to them.</summary>
    public static IEnumerable<string> Errors(DashboardOptions options, IHostEnvironment? environment)
    {
        _ = environment;
        return Rules(options).Select(rule => $"Dashboard: {rule}");
    }

    private static IEnumerable<string> Rules(DashboardOptions o) =>
        OptionBounds.Of(nameof(o.MaxCircuits), o.MaxCircuits, 1, 10_000, "circuits")
            .Concat(OptionBounds.Of(nameof(o.MaxStreams), o.MaxStreams, 0, 10_000, "streams"))
            .Concat(OptionBounds.Of(nameof(o.MaxStreamsPerUser), o.MaxStreamsPerUser, 1, 10_000, "streams"))
            .Concat(OptionBounds.Of(nameof(o.Heartbeat), o.Heartbeat, TimeSpan.FromSeconds(1), TimeSpan.FromMinutes(5)));
}
