using System.Reflection;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc.ApplicationParts;
using Microsoft.AspNetCore.Mvc.Controllers;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ResilientHost.Fallbacks;

namespace ResilientHost.Tests.Fallbacks;

/// <summary>An application in which every endpoint with a fallback is answered by it, as if the endpoint had thrown.</summary>
internal sealed class FallbackBindingHost : IAsyncDisposable
{
    private readonly WebApplication _app;

    private FallbackBindingHost(WebApplication app) => _app = app;

    public HttpClient Client => _app.GetTestClient();

    /// <summary>What the binder says about the endpoints, in their order.</summary>
    public List<string> Errors { get; } = [];

    public List<FallbackBinding> Bindings { get; } = [];

    public static Task<FallbackBindingHost> OfControllersAsync(params Type[] controllers) =>
        OfControllersAsync(static _ => { }, controllers);

    public static Task<FallbackBindingHost> OfControllersAsync(Action<IMvcBuilder> mvc, params Type[] controllers) => StartAsync(
        app => app.MapControllers(),
        services => mvc(services.AddControllers().ConfigureApplicationPartManager(parts =>
        {
            parts.FeatureProviders.Clear();
            parts.FeatureProviders.Add(new Only(controllers));
        })));

    public static async Task<FallbackBindingHost> StartAsync(Action<WebApplication> map, Action<IServiceCollection>? configure = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseTestServer();
        builder.Logging.ClearProviders();
        builder.Services.AddFallbackBinding();
        configure?.Invoke(builder.Services);
        var app = builder.Build();
        app.UseRouting();
        var host = new FallbackBindingHost(app);
        app.Use(AnswerAsync);
        map(app);
        await app.StartAsync();
        foreach (var endpoint in ((IEndpointRouteBuilder)app).DataSources.SelectMany(source => source.Endpoints))
        {
            if (endpoint.Metadata.GetMetadata<IFallbackMetadata>() is { } metadata
                && app.Services.GetRequiredService<FallbackBinder>().Bind(endpoint, metadata, host.Errors) is { } binding)
            {
                host.Bindings.Add(binding);
            }
        }

        return host;
    }

    /// <summary>The one error there is.</summary>
    public static async Task<string> ErrorAsync(Action<WebApplication> map, Action<IServiceCollection>? configure = null)
    {
        await using var host = await StartAsync(map, configure);
        host.Bindings.ShouldBeEmpty();
        return host.Errors.ShouldHaveSingleItem();
    }

    /// <summary>The one error there is.</summary>
    public static async Task<string> ErrorOfControllerAsync(Type controller)
    {
        await using var host = await OfControllersAsync(controller);
        host.Bindings.ShouldBeEmpty();
        return host.Errors.ShouldHaveSingleItem();
    }

    public async Task<string> GetAsync(string path)
    {
        Errors.ShouldBeEmpty();
        using var response = await Client.GetAsync(path);
        var body = await response.Content.ReadAsStringAsync();
        return response.IsSuccessStatusCode ? body : $"{(int)response.StatusCode} {body}";
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private static async Task AnswerAsync(HttpContext context, RequestDelegate next)
    {
        if (context.GetEndpoint() is not { } endpoint || endpoint.Metadata.GetMetadata<IFallbackMetadata>() is not { } metadata)
        {
            await next(context);
            return;
        }

        var binding = context.RequestServices.GetRequiredService<FallbackBinder>().Bind(endpoint, metadata, new List<string>());
        context.Features.Set(new FallbackContext(context) { Exception = new TimeoutException("down") });
        try
        {
            await binding.ShouldNotBeNull().InvokeAsync(context);
        }
        catch (Exception error) when (!context.Response.HasStarted)
        {
            context.Response.StatusCode = 599;
            await context.Response.WriteAsync($"{error.GetType().Name}: {error.Message}");
        }
    }

    private sealed class Only(Type[] controllers) : IApplicationFeatureProvider<ControllerFeature>
    {
        public void PopulateFeature(IEnumerable<ApplicationPart> parts, ControllerFeature feature)
        {
            foreach (var controller in controllers)
            {
                feature.Controllers.Add(controller.GetTypeInfo());
            }
        }
    }
}
