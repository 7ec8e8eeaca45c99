using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Configuration.Memory;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using ResilientHost.History;
using ResilientHost.Tests.Pipeline;

namespace ResilientHost.Tests.History;

/// <summary>A recorder with everything that it records, under manual time.</summary>
internal sealed class HistoryUnderTest : IDisposable
{
    private readonly IHost _host;
    private readonly IConfigurationRoot _configuration;
    private readonly RequestDelegate _invoke;

    public HistoryUnderTest(params (string Key, string? Value)[] settings)
        : this(_ => { }, settings)
    {
    }

    public HistoryUnderTest(Action<HostApplicationBuilder> configure, params (string Key, string? Value)[] settings)
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        builder.Configuration.Sources.Add(new MemoryConfigurationSource { InitialData = settings.Select(setting => KeyValuePair.Create($"Resilience:{setting.Key}", setting.Value)) });
        _configuration = builder.Configuration;
        builder.Services.AddSingleton<TimeProvider>(Time);
        builder.AddResilienceLayers();
        configure(builder);
        _host = builder.Build();
        Recorder = _host.Services.GetRequiredService<HistoryRecorder>();
        _invoke = LayersUnderTest.Build(_host.Services);
    }

    public ManualTimeProvider Time { get; } = new();

    public IServiceProvider Services => _host.Services;

    public HistoryRecorder Recorder { get; }

    public CircuitBreakerRegistry Circuits => Services.GetRequiredService<CircuitBreakerRegistry>();

    /// <summary>As with a dashboard mapped, the host started.</summary>
    public HistoryUnderTest Started()
    {
        Recorder.IsWanted = true;
        Recorder.Start();
        return this;
    }

    public void Reload(string key, string value)
    {
        _configuration[$"Resilience:{key}"] = value;
        _configuration.Reload();
    }

    public void Pass(double seconds = 1) => Time.Advance(TimeSpan.FromSeconds(seconds));

    public CircuitHistory Circuit(string name) => Recorder.Read(namesCallers: true).Circuits.Single(circuit => circuit.Name == name);

    public ServiceHistory Service => Recorder.Read(namesCallers: true).Service;

    /// <summary>One request to an endpoint.</summary>
    public async Task<int> SendAsync(Endpoint endpoint)
    {
        var context = new DefaultHttpContext { RequestServices = Services };
        context.Response.Body = new MemoryStream();
        context.SetEndpoint(endpoint);
        await _invoke(context);
        return context.Response.StatusCode;
    }

    public Endpoint Answering(int status, string name = "GET /", params object[] metadata) => Taking(TimeSpan.Zero, status, name, metadata);

    public Endpoint Taking(TimeSpan time, int status = 200, string name = "GET /", params object[] metadata) => LayersUnderTest.Endpoint(
        context =>
        {
            Time.Advance(time);
            context.Response.StatusCode = status;
            return Task.CompletedTask;
        },
        name,
        metadata);

    public void Dispose() => _host.Dispose();
}
