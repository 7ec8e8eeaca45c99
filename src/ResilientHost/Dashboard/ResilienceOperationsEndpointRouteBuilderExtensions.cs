using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using ResilientHost.Dashboard;
using ResilientHost.Pipeline;

namespace Microsoft.AspNetCore.Builder;

/// <summary>Maps what the people on call can do to the layers.</summary>
public static class ResilienceOperationsEndpointRouteBuilderExtensions
{
    /// <summary>Maps <c>POST {path}/level</c>: sets the service level of this instance by hand, or gives it back to the signals.</summary>
    /// <param name="endpoints">The route builder.</param>
    /// <param name="path">Path under which the endpoint lives. Default: <c>/resilience</c>.</param>
    /// <returns>A builder for the endpoint's conventions, such as <c>RequireAuthorization("on-call")</c>.</returns>
    /// <remarks>
    /// <para>The body is JSON: <c>{ "level": "essential", "expiresIn": "00:30:00" }</c>. <c>level</c> is <c>normal</c>, <c>reduced</c>, <c>essential</c> or <c>survival</c>, or <c>null</c> to end an
    /// override; <c>expiresIn</c> is a duration above zero, at most 1 day, and 1 hour when left out. With <c>instance</c>, another replica than the one named (as its status says) answers 409 and does nothing. The
    /// answer is the level in force. Every change is logged with who made it.</para>
    /// <para>Outside Development the endpoint needs an authorization policy of its own, and <c>AllowAnonymous()</c> is refused: without one the application does not start. No layer stands before it.</para>
    /// </remarks>
    /// <exception cref="InvalidOperationException"><c>AddResilienceLayers()</c> was not called.</exception>
    public static IEndpointConventionBuilder MapResilienceOperations(this IEndpointRouteBuilder endpoints, string path = "/resilience")
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        ArgumentNullException.ThrowIfNull(path);
        var operations = endpoints.ServiceProvider.GetService<LevelOperation>()
            ?? throw new InvalidOperationException("MapResilienceOperations() needs the services of the layers. Call builder.AddResilienceLayers() before builder.Build().");
        RequestDelegate answer = operations.InvokeAsync;
        return endpoints.MapPost($"{path.TrimEnd('/')}/level", answer)
            .WithDisplayName("Resilience service level")
            .WithMetadata(new OperationsEndpointMetadata($"MapResilienceOperations(\"{path}\")", Operates: true));
    }
}
