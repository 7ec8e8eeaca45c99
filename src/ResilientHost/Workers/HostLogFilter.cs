using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace ResilientHost.Workers;

/// <summary>The host's own logger, without the entry about a failed background service that the supervision tells of.</summary>
/// <typeparam name="THost">The host's class, which the framework keeps to itself.</typeparam>
internal sealed class HostLogFilter<THost>(ILoggerFactory factory, HostFaults faults) : ILogger<THost>, IDisposable
{
    private readonly ILogger _inner = factory.CreateLogger<THost>();

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => _inner.BeginScope(state);

    public bool IsEnabled(LogLevel logLevel) => _inner.IsEnabled(logLevel);

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (eventId.Id != HostLogFilter.BackgroundServiceFaulted || faults.MayTell(exception, () => _inner.Log(logLevel, eventId, state, exception, formatter)))
        {
            _inner.Log(logLevel, eventId, state, exception, formatter);
        }
    }

    // Made after the logger factory and so disposed before it: what is written here is still heard.
    public void Dispose() => faults.TellHeld();
}

/// <summary>Puts the filter in the host's way.</summary>
internal static class HostLogFilter
{
    /// <summary>Id of the host's entry, see <c>Microsoft.Extensions.Hosting.Internal.LoggerEventIds</c>.</summary>
    public const int BackgroundServiceFaulted = 9;

    private const string HostType = "Microsoft.Extensions.Hosting.Internal.Host";

    /// <summary>Adds the filter. A host of another kind than the framework's has nothing to filter.</summary>
    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "The host's class is looked for by name; the host itself keeps it. When it is gone, nothing is filtered.")]
    [UnconditionalSuppressMessage("Trimming", "IL2055", Justification = "The filter asks nothing of its type argument.")]
    [UnconditionalSuppressMessage("AOT", "IL3050", Justification = "The argument is a reference type, for which all code is shared.")]
    public static void AddTo(IServiceCollection services)
    {
        if (typeof(HostBuilder).Assembly.GetType(HostType) is { } host
            && typeof(ILogger<>).MakeGenericType(host) is var service
            && !services.Any(known => known.ServiceType == service))
        {
            services.AddSingleton(service, typeof(HostLogFilter<>).MakeGenericType(host));
        }
    }
}
