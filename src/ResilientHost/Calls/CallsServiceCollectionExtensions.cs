using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Polly;
using Polly.Registry;
using ResilientHost;
using ResilientHost.Calls;
using ResilientHost.Hosting;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers the pipelines of other calls.</summary>
internal static class CallsServiceCollectionExtensions
{
    /// <summary>Adds the pipelines to the application's <see cref="ResiliencePipelineRegistry{TKey}"/>, or one to it that has them.</summary>
    public static IServiceCollection AddCalls(this IServiceCollection services)
    {
        services.TryAddSingleton(static provider =>
        {
            var calls = new CallPipelines(
                provider.GetRequiredService<CircuitBreakerRegistry>(), provider.GetRequiredService<BulkheadRegistry>(), provider.GetRequiredService<MonotonicClock>());
            provider.GetRequiredService<ResilienceSettingsSource>().Subscribe(settings => settings.Calls, calls.Apply);
            return calls;
        });
        AddRegistry(services);
        services.TryAddSingleton<ResiliencePipelineProvider<string>>(static provider => provider.GetRequiredService<ResiliencePipelineRegistry<string>>());
        services.TryAddKeyedSingleton(
            KeyedService.AnyKey,
            static (provider, key) => provider.GetRequiredService<CallPipelines>().Get(provider.GetRequiredService<ResiliencePipelineRegistry<string>>(), key as string));
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IHostedService, CallsStartup>());
        return services;
    }

    // One that the application adds after this call is in its right, too: it gets the pipelines when the host starts.
    private static void AddRegistry(IServiceCollection services)
    {
        var added = services.LastOrDefault(descriptor => descriptor.ServiceType == typeof(ResiliencePipelineRegistry<string>) && !descriptor.IsKeyedService);
        if (added is null)
        {
            services.AddSingleton(provider =>
            {
                ThrowIfOthersAreLost(services);
                return provider.GetRequiredService<CallPipelines>().AddTo(new(new ResiliencePipelineRegistryOptions<string>
                {
                    PipelineComparer = StringComparer.OrdinalIgnoreCase,
                    BuilderComparer = StringComparer.OrdinalIgnoreCase,
                }));
            });
        }
        else if (added.ImplementationInstance is null)
        {
            // An instance is left to the start: made by a factory it would become the container's to dispose.
            services[services.IndexOf(added)] = new(
                added.ServiceType,
                provider => provider.GetRequiredService<CallPipelines>().AddTo(
                    (ResiliencePipelineRegistry<string>)(added.ImplementationFactory?.Invoke(provider) ?? new ResiliencePipelineRegistry<string>())),
                added.Lifetime);
        }
    }

    // Polly.Extensions adds its registry only where there is none, and configures only its own.
    private static void ThrowIfOthersAreLost(IServiceCollection services)
    {
        if (services.Any(static descriptor => descriptor.ServiceType is { IsGenericType: true } service
            && service.GenericTypeArguments is [{ IsGenericType: true, Name: "ConfigureResiliencePipelineRegistryOptions`1" } options]
            && options.GenericTypeArguments is [var key]
            && key == typeof(string)))
        {
            throw new InvalidOperationException(
                "Resilience pipelines were added with AddResiliencePipeline after AddResilienceLayers, and would be lost: both share one ResiliencePipelineRegistry<string>, which is the first one's. "
                + "Call AddResilienceLayers after the calls of AddResiliencePipeline.");
        }
    }
}
