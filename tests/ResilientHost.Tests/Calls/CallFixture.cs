using System.Data.Common;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Polly;
using Polly.Registry;
using ResilientHost.Calls;

namespace ResilientHost.Tests.Calls;

/// <summary>The suite with configured calls, under manual time.</summary>
internal sealed class CallFixture : IDisposable
{
    private readonly ConfigurationManager _configuration = new();
    private readonly ServiceProvider _services;

    public CallFixture(params (string Key, string? Value)[] settings)
        : this(null, settings)
    {
    }

    public CallFixture(Action<IServiceCollection>? register, params (string Key, string? Value)[] settings)
    {
        _configuration.AddInMemoryCollection(settings.Select(setting => new KeyValuePair<string, string?>($"Resilience:Calls:{setting.Key}", setting.Value)));
        ServiceCollection services = new();
        services.AddSingleton<TimeProvider>(Time);
        services.AddLogging(logging => logging.AddProvider(Logs));
        register?.Invoke(services);
        services.AddResilienceLayers(_configuration);
        _services = services.BuildServiceProvider();
    }

    public ManualTimeProvider Time { get; } = new();

    public LogRecorder Logs { get; } = new();

    public IServiceProvider Services => _services;

    public ResiliencePipelineRegistry<string> Registry => _services.GetRequiredService<ResiliencePipelineRegistry<string>>();

    public ResiliencePipeline Orders => Registry.GetPipeline("orders");

    public NamedCall Call => _services.GetRequiredService<CallPipelines>().All.Single(call => call.Name == "orders");

    public void Reload(params (string Key, string? Value)[] settings)
    {
        foreach (var (key, value) in settings)
        {
            _configuration[$"Resilience:Calls:{key}"] = value;
        }

        ((IConfigurationRoot)_configuration).Reload();
    }

    public void Dispose()
    {
        _services.Dispose();
        _configuration.Dispose();
        Logs.Dispose();
    }
}

/// <summary>An exception as a driver throws it.</summary>
internal sealed class DatabaseException(string? state, bool transient = false) : DbException("Refused.")
{
    public override string? SqlState { get; } = state;

    public override bool IsTransient { get; } = transient;
}
