using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using ResilientHost;
using ResilientHost.DeadLetters;
using ResilientHost.Hosting;
using ResilientHost.Telemetry;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers the slice of dead letters.</summary>
internal static class DeadLetterServiceCollectionExtensions
{
    /// <summary>Adds the journal in files, as the sink unless the application has one of its own.</summary>
    /// <remarks>Needs <see cref="Func{TResult}"/> of <see cref="DeadLetterOptions"/>, asked once. A relative folder belongs to the content root, or without a host to the current directory.</remarks>
    public static IServiceCollection AddDeadLetters(this IServiceCollection services)
    {
        services.AddMetrics();
        services.TryAddSingleton<ResilienceMeter>();
        services.TryAddSingleton<DeadLetterMetrics>();
        services.TryAddSingleton(provider => new FileDeadLetterSink(
            Rooted(provider.GetRequiredService<Func<DeadLetterOptions>>()(), provider.GetService<IHostEnvironment>()?.ContentRootPath),
            new MonotonicClock(provider.GetService<TimeProvider>()),
            provider.GetRequiredService<DeadLetterMetrics>()));
        services.TryAddSingleton<IDeadLetterSink>(provider => provider.GetRequiredService<FileDeadLetterSink>());
        services.TryAddSingleton(provider => new DeadLetterJournal(provider.GetRequiredService<FileDeadLetterSink>()));
        return services;
    }

    // A copy: the options may be the application's, and are read once.
    private static DeadLetterOptions Rooted(DeadLetterOptions options, string? root) => new()
    {
        Directory = root is null ? options.Directory : Path.Combine(root, options.Directory),
        MaxBytes = options.MaxBytes,
        MaxFileBytes = options.MaxFileBytes,
        MaxItemBytes = options.MaxItemBytes,
        FlushToDisk = options.FlushToDisk,
    };
}
