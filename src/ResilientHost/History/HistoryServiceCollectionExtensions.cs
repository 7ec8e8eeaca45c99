using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace ResilientHost.History;

/// <summary>Registration of the slice.</summary>
internal static class HistoryServiceCollectionExtensions
{
    public static IServiceCollection AddHistory(this IServiceCollection services)
    {
        services.TryAddSingleton<RequestWatches>();
        services.TryAddSingleton<EventLog>();
        services.TryAddSingleton<HistoryRecorder>();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, HistoryStartup>());

        // Rules for one provider come before those for all: what the application silences in its own logs is still shown to the people on call.
        services.Configure<LoggerFilterOptions>(static options =>
        {
            var provider = typeof(EventLog).FullName;
            options.Rules.Add(new LoggerFilterRule(provider, categoryName: null, LogLevel.None, filter: null));
            options.Rules.Add(new LoggerFilterRule(provider, EventLog.Category, LogLevel.Information, filter: null));
        });
        return services;
    }
}
