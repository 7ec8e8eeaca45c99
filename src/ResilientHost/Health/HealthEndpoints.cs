using Microsoft.AspNetCore.Builder;

namespace ResilientHost.Health;

/// <summary>Two endpoints with the same conventions.</summary>
internal sealed class HealthEndpoints(IEndpointConventionBuilder live, IEndpointConventionBuilder ready) : IEndpointConventionBuilder
{
    public void Add(Action<EndpointBuilder> convention)
    {
        live.Add(convention);
        ready.Add(convention);
    }

    public void Finally(Action<EndpointBuilder> finallyConvention)
    {
        live.Finally(finallyConvention);
        ready.Finally(finallyConvention);
    }
}
