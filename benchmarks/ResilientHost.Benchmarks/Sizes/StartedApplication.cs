using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using ResilientHost.Benchmarks.Requests;

namespace ResilientHost.Benchmarks.Sizes;

/// <summary>From nothing to the first answer, with routing, in a process that has done it before: what grows with the endpoints, and not what a process costs.</summary>
internal static class StartedApplication
{
    private static readonly byte[] Body = "{}"u8.ToArray();

    /// <summary>The least that an endpoint can do: what is measured is what leads to it.</summary>
    public static RequestDelegate Answer { get; } = static context =>
    {
        context.Response.ContentLength = Body.Length;
        return context.Response.Body.WriteAsync(Body.AsMemory()).AsTask();
    };

    /// <returns>Milliseconds of CPU, all threads.</returns>
    public static double Measure(int endpoints, bool isLayered)
    {
        GC.Collect();
        WebApplication? application = null;
        var milliseconds = Figure.CpuOf(() => application = StartAndAnswer(endpoints, isLayered));
        application!.StopAsync().GetAwaiter().GetResult();
        ((IDisposable)application).Dispose();
        return milliseconds;
    }

    private static WebApplication StartAndAnswer(int endpoints, bool isLayered)
    {
        Server server = new();
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { EnvironmentName = Environments.Production });
        builder.Services.AddSingleton<IServer>(server);
        builder.Services.AddRouting();
        builder.Logging.ClearProviders();
        if (isLayered)
        {
            builder.AddResilienceLayers();
        }

        var application = builder.Build();
        application.UseRouting();
        if (isLayered)
        {
            application.UseResilienceLayers();
        }

        for (var endpoint = 0; endpoint < endpoints; endpoint++)
        {
            application.MapGet($"/items{endpoint}/{{id}}", Answer);
        }

        application.Start();
        InMemoryServer requests = new(application.Services) { RawTarget = $"/items{endpoints / 2}/1" };
        server.Process!(requests.BeginUnrouted());
        return requests.BytesWritten == Body.Length ? application : throw new InvalidOperationException($"The first answer must be the endpoint's, but is {requests.StatusCode}.");
    }

    /// <summary>Hands requests to the application as a server does.</summary>
    private sealed class Server : IServer
    {
        public IFeatureCollection Features { get; } = new FeatureCollection();

        public Action<IFeatureCollection>? Process { get; private set; }

        public Task StartAsync<TContext>(IHttpApplication<TContext> application, CancellationToken cancellationToken)
            where TContext : notnull
        {
            Process = features =>
            {
                var context = application.CreateContext(features);
                application.ProcessRequestAsync(context).GetAwaiter().GetResult();
                application.DisposeContext(context, exception: null);
            };
            return Task.CompletedTask;
        }

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public void Dispose()
        {
        }
    }
}
