using System.Diagnostics.Metrics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ResilientHost.Callers;
using ResilientHost.Degradation;
using ResilientHost.Signals;

namespace ResilientHost.Tests.Degradation;

/// <summary>The whole slice as the container makes it, with manual time and one signal of the suite's that says what the test wants.</summary>
internal sealed class DegradationUnderTest : IDisposable, ISignalSource, ITrustedCallers
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly ServiceProvider _services;

    public DegradationUnderTest(Action<DegradationOptions>? configure = null, bool sayCriticality = true, params IDegradationSignal[] signals)
    {
        Options.Smoothing = TimeSpan.Zero;
        Options.StartupGrace = TimeSpan.Zero;
        configure?.Invoke(Options);
        var services = new ServiceCollection()
            .AddLogging(builder => builder.AddProvider(Logs))
            .AddSingleton<TimeProvider>(Time)
            .AddSingleton<Func<DegradationPolicy>>(() => new DegradationPolicy(Options))
            .AddSingleton<ITrustedCallers>(this)
            .AddSingleton<Func<IReadOnlyList<ISignalSource>>>(() => [this])
            .AddDegradation();
        foreach (var signal in signals)
        {
            services.AddSingleton(signal);
        }

        _services = services.BuildServiceProvider();
        Metrics = new MetricRecorder(ResilienceDiagnostics.MeterName, _services.GetRequiredService<IMeterFactory>());
        Control = _services.GetRequiredService<DegradationControl>();
        Control.EndpointsSayCriticality = sayCriticality;
        Shedder = _services.GetRequiredService<RequestShedder>();
        Sampler = _services.GetRequiredService<DegradationSampler>();
    }

    public DegradationOptions Options { get; } = new();

    public ManualTimeProvider Time { get; } = new();

    public LogRecorder Logs { get; } = new();

    public MetricRecorder Metrics { get; }

    public DegradationControl Control { get; }

    public RequestShedder Shedder { get; }

    public DegradationSampler Sampler { get; }

    public IServiceProvider Services => _services;

    /// <summary>What the signal says: thresholds are those of the processor, 0.90 and 0.75.</summary>
    public Func<double> Cpu { get; set; } = () => 0;

    public Func<HttpContext, bool> Trusts { get; set; } = _ => false;

    public string Name => ResilienceDiagnostics.SignalNames.Cpu;

    /// <summary>How often the signal was asked to see to it that it is not stale.</summary>
    public int Confirmed { get; private set; }

    public double Read(long now) => Cpu();

    public void Confirm(long now) => Confirmed++;

    public bool IsTrusted(HttpContext context) => Trusts(context);

    /// <summary>Samples now and then every 500 ms, for a while.</summary>
    public void Run(double cpu, double seconds)
    {
        Cpu = () => cpu;
        Sampler.Sample();
        for (var passed = 0.0; passed < seconds; passed += 0.5)
        {
            Time.Advance(TimeSpan.FromSeconds(0.5));
            Sampler.Sample();
        }
    }

    public static DefaultHttpContext Request(string? id = null, string? criticality = null)
    {
        var context = new DefaultHttpContext();
        if (id is not null)
        {
            context.Request.Headers["X-Request-ID"] = id;
        }

        if (criticality is not null)
        {
            context.Request.Headers[RequestCriticality.HeaderName] = criticality;
        }

        return context;
    }

    public void Dispose()
    {
        Metrics.Dispose();
        _services.Dispose();
    }
}

/// <summary>A signal of an application's that says what the test wants.</summary>
internal sealed class ScriptedSignal(string name, double enter = 1, double exit = 0.5) : IDegradationSignal
{
    public Func<double> Says { get; set; } = () => 0;

    public string Name => name;

    public double Enter => enter;

    public double Exit => exit;

    public double Read() => Says();
}
