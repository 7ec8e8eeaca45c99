using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using ResilientHost;
using ResilientHost.Hosting;
using ResilientHost.Workers;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds background workers that the suite supervises.</summary>
public static class ResilientWorkerServiceCollectionExtensions
{
    /// <summary>Adds a worker; each of its runs has a new instance in a scope of its own.</summary>
    /// <typeparam name="TWorker">An <see cref="IResilientWorker"/> or a <see cref="BackgroundService"/>; of both, the first is what runs. Its constructor may take scoped services, and its <see cref="WorkerContext"/>.</typeparam>
    /// <param name="services">The services.</param>
    /// <param name="name">Name of the worker: in <c>Resilience:Workers:&lt;name&gt;</c>, logs, metrics and the status page. Compared without regard to case.</param>
    /// <param name="configure">Runs after the worker's section in configuration is bound, at start and at each reload. Must be repeatable.</param>
    /// <returns>The same services.</returns>
    /// <remarks>
    /// <para>
    /// The worker starts where it stands among the host's services, after the workers that it depends on (<see cref="WorkerOptions.DependsOn"/>), and stops in reverse. Its start waits for nothing that it does:
    /// a constructor that throws is a failure of the first run, to be restarted as any other, and not one of the host.
    /// </para>
    /// <para>Needs <c>AddResilienceLayers</c>, before or after; without it the host does not start.</para>
    /// <para>
    /// Disposed after each run is the instance, then its scope. What that throws is logged, and what of it takes longer than <see cref="WorkerOptions.StopTimeout"/> is left behind; neither keeps the next run from starting.
    /// </para>
    /// <para>A <see cref="BackgroundService"/> is stopped by its own <see cref="BackgroundService.StopAsync"/>, once for each run, however the run ended.</para>
    /// </remarks>
    /// <exception cref="ArgumentNullException"><paramref name="services"/> or <paramref name="name"/> is <see langword="null"/>.</exception>
    /// <exception cref="ArgumentException">
    /// The name is empty, <c>Default</c>, or another worker's; or <typeparamref name="TWorker"/> is neither an <see cref="IResilientWorker"/> nor a <see cref="BackgroundService"/>, or cannot be made.
    /// </exception>
    public static IServiceCollection AddResilientWorker<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicConstructors)] TWorker>(
        this IServiceCollection services, string name, Action<WorkerOptions>? configure = null)
        where TWorker : class
    {
        ThrowIfNoWorker(typeof(TWorker));
        ThrowIfAbstract(typeof(TWorker));
        return Add<TWorker>(services, name, static provider => ActivatorUtilities.CreateInstance<TWorker>(provider), configure);
    }

    /// <summary>Adds a worker whose instances a factory makes, one for each run.</summary>
    /// <typeparam name="TWorker">An <see cref="IResilientWorker"/> or a <see cref="BackgroundService"/>.</typeparam>
    /// <param name="services">The services.</param>
    /// <param name="name">Name of the worker: in <c>Resilience:Workers:&lt;name&gt;</c>, logs, metrics and the status page. Compared without regard to case.</param>
    /// <param name="factory">Makes the instance of one run from the services of the run's scope; what it returns is disposed after the run. Called on a thread of the pool; what it throws is a failure of the run.</param>
    /// <param name="configure">Runs after the worker's section in configuration is bound, at start and at each reload. Must be repeatable.</param>
    /// <returns>The same services.</returns>
    /// <remarks><inheritdoc cref="AddResilientWorker{TWorker}(IServiceCollection, string, Action{WorkerOptions}?)" path="/remarks"/></remarks>
    /// <exception cref="ArgumentNullException"><paramref name="services"/>, <paramref name="name"/> or <paramref name="factory"/> is <see langword="null"/>.</exception>
    /// <exception cref="ArgumentException">
    /// The name is empty, <c>Default</c>, or another worker's; or <typeparamref name="TWorker"/> is neither an <see cref="IResilientWorker"/> nor a <see cref="BackgroundService"/>.
    /// </exception>
    public static IServiceCollection AddResilientWorker<TWorker>(
        this IServiceCollection services, string name, Func<IServiceProvider, TWorker> factory, Action<WorkerOptions>? configure = null)
        where TWorker : class
    {
        ArgumentNullException.ThrowIfNull(factory);
        return Add<TWorker>(services, name, factory, configure);
    }

    private static IServiceCollection Add<TWorker>(IServiceCollection services, string name, Func<IServiceProvider, object> create, Action<WorkerOptions>? configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentException.ThrowIfNullOrWhiteSpace(name);
        name = name.Trim();
        if (NamedOptions<WorkerOptions>.IsDefault(name))
        {
            throw new ArgumentException($"'{name}' is where every worker's options start from; a worker needs another name.", nameof(name));
        }

        ThrowIfNoWorker(typeof(TWorker));
        if (!NamesIn(services).Add(name) && services.Any(service => InstanceOf<WorkerRegistration>(service) is { } other && string.Equals(other.Name, name, StringComparison.OrdinalIgnoreCase)))
        {
            throw new ArgumentException($"There is a worker '{name}' already: each needs a name of its own.", nameof(name));
        }

        var registration = new WorkerRegistration(name, create, typeof(IResilientWorker).IsAssignableFrom(typeof(TWorker)));
        services.AddSingleton(registration);
        services.AddSingleton<IHostedService>(provider => new WorkerService(registration, provider));
        if (configure is not null)
        {
            services.Configure<ResilienceOptions>(options => options.Workers.Configure(name, configure));
        }

        return services;
    }

    // Stands where the first worker does: whoever adds thousands must not look through all of them for each. The services are the truth; somebody may have taken one out again.
    private static HashSet<string> NamesIn(IServiceCollection services)
    {
        if (services.Select(InstanceOf<RegisteredNames>).FirstOrDefault(static names => names is not null) is { } known)
        {
            return known.Names;
        }

        services.TryAddScoped<WorkerContextHolder>();
        services.TryAddScoped(static provider => provider.GetRequiredService<WorkerContextHolder>().Context);
        RegisteredNames names = new();
        services.AddSingleton(names);
        return names.Names;
    }

    private static T? InstanceOf<T>(ServiceDescriptor service)
        where T : class => service.IsKeyedService ? null : service.ImplementationInstance as T;

    private static void ThrowIfAbstract(Type worker)
    {
        if (worker.IsAbstract)
        {
            throw new ArgumentException($"{TypeText.Of(worker)} is abstract and cannot be made: name the type that runs, or give a factory.", nameof(worker));
        }
    }

    private static void ThrowIfNoWorker(Type worker)
    {
        if (!typeof(IResilientWorker).IsAssignableFrom(worker) && !typeof(BackgroundService).IsAssignableFrom(worker))
        {
            throw new ArgumentException($"{TypeText.Of(worker)} must be an {nameof(IResilientWorker)} or a {nameof(BackgroundService)}.", nameof(worker));
        }
    }

    private sealed class RegisteredNames
    {
        public HashSet<string> Names { get; } = new(StringComparer.OrdinalIgnoreCase);
    }
}
