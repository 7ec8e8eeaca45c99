using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection;
using ResilientHost.Hosting;

namespace ResilientHost.Connections;

/// <summary>A transport whose listeners are guarded by the door.</summary>
/// <param name="inner">The transport.</param>
/// <param name="services">The door is asked for by the first endpoint that is bound: servers are made before the configuration is validated.</param>
internal sealed class GuardedListenerFactory(IConnectionListenerFactory inner, IServiceProvider services) : IConnectionListenerFactory, IConnectionListenerFactorySelector
{
    public bool CanBind(EndPoint endpoint) => inner is not IConnectionListenerFactorySelector selector || selector.CanBind(endpoint);

    public async ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        var door = services.GetRequiredService<ConnectionDoor>();
        var listener = await inner.BindAsync(endpoint, cancellationToken);
        door.Watch();
        return new GuardedListener(listener, door, services.GetRequiredService<MonotonicClock>());
    }
}
