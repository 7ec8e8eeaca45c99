using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Polly;
using Polly.CircuitBreaker;
using ResilientHost.History;

namespace ResilientHost.Benchmarks.Requests;

/// <summary>A request pipeline as the host would build it, startup filters included; the endpoint is chosen by the request.</summary>
internal sealed class Pipeline : IDisposable
{
    private readonly WebApplication _application;

    private Pipeline(WebApplication application, RequestDelegate invoke)
    {
        _application = application;
        Invoke = invoke;
    }

    public IServiceProvider Services => _application.Services;

    public RequestDelegate Invoke { get; }

    /// <summary>Nothing between server and endpoint.</summary>
    public static Pipeline Bare() => Build(static _ => { }, static _ => { });

    /// <summary>Recovery as ASP.NET Core brings it.</summary>
    /// <param name="log">Where it logs to; nowhere by default.</param>
    public static Pipeline Stock(ILoggerProvider? log = null) => Build(static builder => builder.Services.AddProblemDetails(), static app => app.UseExceptionHandler(), log);

    /// <summary>What a team would put together from the framework and Polly for the same protection: recovery, a concurrency limit, a breaker, and the framework's timeouts if asked for.</summary>
    /// <param name="withTimeouts">With the framework's timeouts.</param>
    /// <param name="opens">Whether its breaker may open.</param>
    public static Pipeline StockStack(bool withTimeouts = false, bool opens = true) => Build(
        builder =>
        {
            builder.Services.AddProblemDetails();
            if (withTimeouts)
            {
                builder.Services.AddRequestTimeouts();
            }

            builder.Services.AddRateLimiter(static options => options.GlobalLimiter = PartitionedRateLimiter.Create<HttpContext, string>(
                static _ => RateLimitPartition.GetConcurrencyLimiter("all", static _ => new ConcurrencyLimiterOptions { PermitLimit = Layers.MaxConcurrency })));
        },
        app =>
        {
            app.UseExceptionHandler();
            app.UseRateLimiter();
            if (withTimeouts)
            {
                app.UseRequestTimeouts();
            }

            var breaker = new ResiliencePipelineBuilder().AddCircuitBreaker(opens ? new() : new() { MinimumThroughput = int.MaxValue }).Build();
            app.Use((HttpContext context, RequestDelegate next) => breaker.ExecuteAsync(
                static (call, _) => new ValueTask(call.next(call.context)), (next, context), CancellationToken.None).AsTask());
        });

    /// <summary>The framework's own timeouts.</summary>
    public static Pipeline StockTimeouts() => Build(static builder => builder.Services.AddRequestTimeouts(), static app => app.UseRequestTimeouts());

    /// <summary>All layers of this library.</summary>
    /// <param name="log">Where they log to; nowhere by default.</param>
    public static Pipeline Layered(ILoggerProvider? log = null) => Build(
        static builder =>
        {
            builder.Configuration.AddInMemoryCollection(Layers.Configuration);
            builder.AddResilienceLayers();
        },
        static app => app.UseResilienceLayers(),
        log);

    /// <summary>All layers, and an exception handler of the application's.</summary>
    public static Pipeline LayeredHandling<THandler>()
        where THandler : class, IExceptionHandler => Build(
        static builder =>
        {
            builder.Configuration.AddInMemoryCollection(Layers.Configuration);
            builder.Services.AddExceptionHandler<THandler>();
            builder.AddResilienceLayers();
        },
        static app => app.UseResilienceLayers());

    /// <summary>All layers, and a dashboard that nobody looks at: its history is recorded.</summary>
    public static Pipeline Watched()
    {
        var pipeline = Layered();
        var recorder = pipeline.Services.GetRequiredService<HistoryRecorder>();
        recorder.IsWanted = true;
        recorder.Start();
        return pipeline;
    }

    public static Pipeline Build(Action<WebApplicationBuilder> configure, Action<IApplicationBuilder> use, ILoggerProvider? log = null)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { EnvironmentName = "Production" });
        builder.Services.AddSingleton<IServer, NoServer>();
        builder.Services.AddRouting();
        builder.Logging.ClearProviders();
        if (log is not null)
        {
            builder.Logging.AddProvider(log);
        }

        configure(builder);
        var application = builder.Build();

        Action<IApplicationBuilder> pipeline = app =>
        {
            use(app);
            app.Run(static context => context.GetEndpoint()!.RequestDelegate!(context));
        };
        foreach (var filter in application.Services.GetServices<IStartupFilter>().Reverse())
        {
            pipeline = filter.Configure(pipeline);
        }

        var root = new ApplicationBuilder(application.Services);
        pipeline(root);
        return new Pipeline(application, root.Build());
    }

    public void Dispose() => ((IDisposable)_application).Dispose();
}
