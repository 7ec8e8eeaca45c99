using System.Collections;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection;

namespace ResilientHost.Connections;

/// <summary>All transports of the application, guarded: what a server gets that asks for them.</summary>
/// <remarks>
/// Registered as the sequence itself, which a container prefers to one that it would put together. So every transport is guarded, whether it was registered
/// before the suite or after it, and none of the registrations is touched.
/// </remarks>
internal sealed class GuardedListenerFactories : IEnumerable<IConnectionListenerFactory>, IAsyncDisposable, IDisposable
{
    private readonly List<IConnectionListenerFactory> _guarded = [];
    private readonly List<object> _made = [];

    /// <param name="registrations">All services of the application.</param>
    /// <param name="services">Their container.</param>
    public GuardedListenerFactories(IServiceCollection registrations, IServiceProvider services)
    {
        var transports = registrations.Where(d => d.ServiceType == typeof(IConnectionListenerFactory) && !d.IsKeyedService).ToArray();
        for (var i = 0; i < transports.Length; i++)
        {
            // The last one is what the container itself hands out, so it is not made twice.
            var transport = i == transports.Length - 1 ? services.GetRequiredService<IConnectionListenerFactory>() : Make(transports[i], services);
            _guarded.Add(new GuardedListenerFactory(transport, services));
        }
    }

    public IEnumerator<IConnectionListenerFactory> GetEnumerator() => _guarded.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public async ValueTask DisposeAsync()
    {
        foreach (var transport in _made)
        {
            if (transport is IAsyncDisposable asynchronous)
            {
                await asynchronous.DisposeAsync();
            }
            else
            {
                (transport as IDisposable)?.Dispose();
            }
        }
    }

    // A container that is disposed synchronously refuses what can be disposed asynchronously only.
    public void Dispose()
    {
        foreach (var transport in _made.OfType<IDisposable>())
        {
            transport.Dispose();
        }
    }

    private IConnectionListenerFactory Make(ServiceDescriptor transport, IServiceProvider services)
    {
        if (transport.ImplementationInstance is IConnectionListenerFactory instance)
        {
            return instance;
        }

        var made = transport.ImplementationFactory?.Invoke(services) ?? ActivatorUtilities.CreateInstance(services, transport.ImplementationType!);
        _made.Add(made);
        return (IConnectionListenerFactory)made;
    }
}
