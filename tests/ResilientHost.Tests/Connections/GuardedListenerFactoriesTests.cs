using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.DependencyInjection;
using ResilientHost.Connections;

namespace ResilientHost.Tests.Connections;

public class GuardedListenerFactoriesTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Transports_RegisteredBeforeOrAfter_AreGuarded(bool after)
    {
        var services = new ServiceCollection();
        if (after)
        {
            services.AddConnectionDoor();
        }

        services.AddSingleton<IConnectionListenerFactory, FirstTransport>();
        services.AddSingleton<IConnectionListenerFactory>(_ => new SecondTransport());
        var third = new ScriptedTransport();
        services.AddSingleton<IConnectionListenerFactory>(third);
        if (!after)
        {
            services.AddConnectionDoor();
        }

        await using var provider = services.BuildServiceProvider();

        var transports = provider.GetServices<IConnectionListenerFactory>().ToArray();

        transports.Length.ShouldBe(3);
        transports.ShouldAllBe(transport => transport is GuardedListenerFactory);
        provider.GetRequiredService<IConnectionListenerFactory>().ShouldBeSameAs(third);
        var canBind = transports.Select(transport => ((IConnectionListenerFactorySelector)transport).CanBind(new IPEndPoint(IPAddress.Loopback, 1)));
        canBind.ShouldBe([true, false, true]);
    }

    [Fact]
    public async Task AddConnectionDoor_Twice_GuardsOnce()
    {
        var services = new ServiceCollection();
        services.AddSingleton<IConnectionListenerFactory, FirstTransport>();
        services.AddConnectionDoor();
        services.AddConnectionDoor();

        await using var provider = services.BuildServiceProvider();

        provider.GetServices<IConnectionListenerFactory>().ShouldHaveSingleItem();
    }

    [Fact]
    public async Task Transports_None_StaysNone()
    {
        await using var provider = new ServiceCollection().AddConnectionDoor().BuildServiceProvider();

        provider.GetServices<IConnectionListenerFactory>().ShouldBeEmpty();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Dispose_TransportsThatWereMade_AreDisposedOnce(bool asynchronously)
    {
        var services = new ServiceCollection();
        services.AddSingleton<IConnectionListenerFactory, FirstTransport>();
        services.AddSingleton<IConnectionListenerFactory, FirstTransport>();
        services.AddConnectionDoor();
        services.AddSingleton<Disposals>();
        var provider = services.BuildServiceProvider();
        var disposals = provider.GetRequiredService<Disposals>();
        provider.GetServices<IConnectionListenerFactory>().Count().ShouldBe(2);

        if (asynchronously)
        {
            await provider.DisposeAsync();
        }
        else
        {
            provider.Dispose();
        }

        disposals.Count.ShouldBe(2);
    }

    internal sealed class Disposals
    {
        public int Count { get; set; }
    }

    internal sealed class FirstTransport(Disposals? disposals = null) : IConnectionListenerFactory, IDisposable
    {
        public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default) => throw new NotSupportedException();

        public void Dispose()
        {
            if (disposals is not null)
            {
                disposals.Count++;
            }
        }
    }

    internal sealed class SecondTransport : IConnectionListenerFactory, IConnectionListenerFactorySelector
    {
        public bool CanBind(EndPoint endpoint) => endpoint is not IPEndPoint;

        public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default) => throw new NotSupportedException();
    }
}
