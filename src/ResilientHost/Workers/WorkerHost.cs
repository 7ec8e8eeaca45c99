using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using ResilientHost.Hosting;

namespace ResilientHost.Workers;

/// <summary>The workers of one host: finds them, starts and stops those that the suite made in order, and supervises the host's own beside it.</summary>
/// <remarks>Members are called by the host's phases, each once and one phase after the other; within a phase by several services at once.</remarks>
internal sealed class WorkerHost(
    IServiceProvider services,
    Func<WorkerSettings> settings,
    MonotonicClock clock,
    IWorkerEvents events,
    WorkerCatalogue catalogue,
    HostFaults faults,
    WorkerGiveUp giveUp,
    WorkerHostLog log) : IDisposable
{
    private readonly StartGate _gate = new();
    private readonly ConcurrentDictionary<string, Lazy<Task>> _starts = new(StringComparer.OrdinalIgnoreCase);
    private readonly ConcurrentDictionary<string, Lazy<Task>> _stops = new(StringComparer.OrdinalIgnoreCase);
    private Dictionary<string, IReadOnlyList<string>> _dependencies = [];
    private ILookup<string, string> _dependents = Enumerable.Empty<string>().ToLookup(static name => name);
    private CancellationTokenRegistration _stopping;

    /// <summary>Finds the workers, before any service starts.</summary>
    /// <exception cref="OptionsValidationException">Workers depend on each other in a way that has no order; tells every error.</exception>
    public void Prepare()
    {
        var now = settings();
        var found = Find(now.SupervisesHostedServices).ToList();
        var dependencies = found
            .Where(worker => worker.Body is not HostedServiceBody)
            .ToDictionary(worker => worker.Name, worker => worker.Policy.DependsOn, StringComparer.OrdinalIgnoreCase);
        var order = OrderOf(found, dependencies);
        _dependencies = dependencies;
        _dependents = dependencies
            .SelectMany(static worker => worker.Value.Distinct(StringComparer.OrdinalIgnoreCase), static (worker, dependency) => (Dependency: dependency, worker.Key))
            .ToLookup(static pair => pair.Dependency, static pair => pair.Key, StringComparer.OrdinalIgnoreCase);
        var shared = found
            .Where(worker => worker.Policy.Group is not null)
            .GroupBy(worker => worker.Policy.Group!, StringComparer.OrdinalIgnoreCase)
            .ToDictionary(group => group.Key, group => GroupOf(group.Key, [.. group.OrderBy(member => order[member.Name])]), StringComparer.OrdinalIgnoreCase);
        catalogue.Fill([.. found.Select(worker => (worker, worker.Policy.Group is { } name ? shared[name] : GroupOf(name: null, [worker])))]);
        if (now.SupervisesHostedServices && services.GetService<IOptions<HostOptions>>() is { } options)
        {
            faults.TakeOver(options);
        }

        _stopping = services.GetService<IHostApplicationLifetime>()?.ApplicationStopping.UnsafeRegister(static state => _ = ((WorkerHost)state!).LeaveToHost(), this) ?? default;
    }

    /// <summary>Starts a worker, after those that it depends on.</summary>
    public Task StartAsync(string name) => _starts.GetOrAdd(name, static (name, host) => new(() => host.StartOnceAsync(name)), this).Value;

    /// <summary>Stops a worker, after those that depend on it.</summary>
    public Task StopAsync(string name, CancellationToken cancellationToken) =>
        _stops.GetOrAdd(name, static (name, state) => new(() => state.Host.StopOnceAsync(name, state.Token)), (Host: this, Token: cancellationToken)).Value;

    /// <summary>All of the host's services are started: those that have failed by now are dealt with, too.</summary>
    public async Task SuperviseAsync()
    {
        var absent = new List<Worker>();
        foreach (var (worker, group, body) in Hosted())
        {
            if (body.Service.ExecuteTask is null)
            {
                log.NotStarted(worker.Name);
                absent.Add(worker);
            }
            else
            {
                body.Started();
                await group.StartAsync(worker);
            }
        }

        if (absent.Count > 0)
        {
            catalogue.Fill([.. catalogue.Entries.Where(entry => !absent.Contains(entry.Worker))]);
        }

        // Instances that only the host has are dealt with as it would have: told by itself, and with the outcome that the application asked for.
        var supervised = Hosted().Select(entry => entry.Body).ToList();
        faults.TellInstead(
            exception => absent.Count == 0 || supervised.Exists(body => body.HasFailedWith(exception)),
            () => giveUp.Execute(faults.Behavior == BackgroundServiceExceptionBehavior.StopHost ? GiveUpAction.StopHost : GiveUpAction.Fail));
        TellUnused();
    }

    /// <summary>The host stops: from now on its services are its own, and none of them is started again.</summary>
    /// <returns>Ends when the starts that were under way are over.</returns>
    public Task LeaveToHost()
    {
        var left = _gate.Close();
        foreach (var (worker, group, _) in Hosted().Where(entry => entry.Worker.State == WorkerState.BackingOff))
        {
            _ = group.StopAsync(worker, CancellationToken.None);
        }

        return left;
    }

    /// <summary>The host has stopped its services. Names those that have not ended.</summary>
    public Task LeaveAsync() => Task.WhenAll(Hosted().Select(entry => entry.Group.StopAsync(
        entry.Worker,

        // The host has waited for it as long as it may: no more of that.
        new CancellationToken(canceled: entry.Body.Service.ExecuteTask is { IsCompleted: false }))));

    /// <summary>A host that goes without stopping, as one does that could not start, ends what it began.</summary>
    public void Dispose()
    {
        _stopping.Dispose();
        _ = LeaveToHost();
        foreach (var (worker, group) in catalogue.Entries)
        {
            _ = group.StopAsync(worker, CancellationToken.None);
            group.Dispose();
        }
    }

    /// <summary>A name with a slip of the pen leaves its worker to the defaults.</summary>
    private void TellUnused()
    {
        var unused = settings().Named.Keys
            .Where(name => !catalogue.TryGet(name, out _, out _) && !settings().Bases.Contains(name))
            .Order(StringComparer.OrdinalIgnoreCase)
            .ToList();
        if (unused.Count > 0)
        {
            log.NamesOfNoWorker(unused, catalogue.All.Select(worker => worker.Name));
        }
    }

    private IEnumerable<Worker> Find(bool supervisesHosted)
    {
        var hosted = services.GetServices<IHostedService>().Distinct().ToList();
        var names = new HostedServiceNames(hosted.OfType<WorkerService>().Select(service => service.Registration.Name));
        var scopes = services.GetRequiredService<IServiceScopeFactory>();
        foreach (var service in hosted)
        {
            if (service is WorkerService { Registration: var registration })
            {
                yield return new(registration.Name, new ScopedWorkerBody(scopes, registration.Create, registration.PausesItself, clock, log), settings, clock);
            }
            else if (service is BackgroundService background && supervisesHosted && background.GetType().Assembly != typeof(WorkerHost).Assembly)
            {
                yield return new(names.Next(background), new HostedServiceBody(background, _gate, Stop, clock, log), settings, clock);
            }
        }
    }

    private IEnumerable<(Worker Worker, WorkerGroup Group, HostedServiceBody Body)> Hosted()
    {
        foreach (var (worker, group) in catalogue.Entries)
        {
            if (worker.Body is HostedServiceBody body)
            {
                yield return (worker, group, body);
            }
        }
    }

    private void Stop(Worker worker)
    {
        if (catalogue.TryGet(worker.Name, out _, out var group))
        {
            _ = group.StopAsync(worker, CancellationToken.None);
        }
    }

    private WorkerGroup GroupOf(string? name, IReadOnlyList<Worker> members) => new(
        name,
        members,
        () => name is null ? null : settings().Groups.GetValueOrDefault(name) ?? new WorkerGroupPolicy(new WorkerGroupOptions()),
        () => settings().Enabled,
        clock,
        events,
        Random.Shared);

    /// <summary>Where each worker stands in the order of starting.</summary>
    private Dictionary<string, int> OrderOf(List<Worker> found, Dictionary<string, IReadOnlyList<string>> dependencies)
    {
        // The host's own start where they are registered, and nobody can be made to wait for them.
        IReadOnlyList<string> errors = [.. new WorkerOrder(dependencies.Select(worker => (worker.Key, worker.Value))).Errors, .. found.SelectMany(WithoutEffect)];
        return errors.Count > 0
            ? throw new OptionsValidationException(nameof(ResilienceOptions.Workers), typeof(WorkerOptions), errors)
            : new WorkerOrder(found.Select(worker => (worker.Name, dependencies.GetValueOrDefault(worker.Name) ?? [])))
                .Names.Index().ToDictionary(entry => entry.Item, entry => entry.Index, StringComparer.OrdinalIgnoreCase);
    }

    /// <summary>What is asked for of a hosted service that only a worker of the suite's own can have; what it takes over from the defaults is meant for others.</summary>
    private IEnumerable<string> WithoutEffect(Worker worker)
    {
        if (worker.Body is not HostedServiceBody)
        {
            return [];
        }

        var (own, defaults) = (worker.Policy, settings().Default);
        return new[]
        {
            (nameof(WorkerOptions.HeartbeatTimeout), own.HeartbeatTimeout is not null && own.HeartbeatTimeout != defaults.HeartbeatTimeout),
            (nameof(WorkerOptions.CircuitBreaker), own.CircuitBreaker is not null && own.CircuitBreaker != defaults.CircuitBreaker),
            (nameof(WorkerOptions.Bulkhead), own.Bulkhead is not null && own.Bulkhead != defaults.Bulkhead),
            (nameof(WorkerOptions.DependsOn), own.DependsOn.Count > 0 && !own.DependsOn.SequenceEqual(defaults.DependsOn, StringComparer.OrdinalIgnoreCase)),
        }
        .Where(option => option.Item2)
        .Select(option => $"Resilience:Workers:{worker.Name}:{option.Item1} can only be had by a worker that AddResilientWorker registered, and '{worker.Name}' is a hosted service of the application's. Register it with AddResilientWorker, or take the key out.");
    }

    private async Task StartOnceAsync(string name)
    {
        foreach (var dependency in _dependencies[name])
        {
            await StartAsync(dependency);
        }

        if (catalogue.TryGet(name, out var worker, out var group))
        {
            await group.StartAsync(worker);
        }
    }

    private async Task StopOnceAsync(string name, CancellationToken cancellationToken)
    {
        await Task.WhenAll(_dependents[name].Select(other => StopAsync(other, cancellationToken)));
        if (catalogue.TryGet(name, out var worker, out var group))
        {
            await group.StopAsync(worker, cancellationToken);
        }
    }
}
