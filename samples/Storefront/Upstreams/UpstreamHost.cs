using System.Collections.Concurrent;
using System.Net;
using Storefront.Faults;

namespace Storefront.Upstreams;

/// <summary>
/// Runs the services behind the shop, each with its own Kestrel on a free loopback port, so that every call to one of them
/// is a real HTTP call that can be slow, fail, hang or be reset.
/// </summary>
internal sealed class UpstreamHost(FaultSwitches faults, UpstreamTraffic traffic) : IHostedService, IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, WebApplication> _services = new(StringComparer.Ordinal);

    public Uri AddressOf(string service) => new(_services[service].Urls.First());

    public Task StartAsync(CancellationToken cancellationToken) =>
        Task.WhenAll(ServiceNames.OverHttp.Select(service => StartAsync(service, cancellationToken)));

    // At once: the shop has stopped before, so whatever still runs here hangs by its switch and is waited for by nobody.
    public Task StopAsync(CancellationToken cancellationToken) =>
        Task.WhenAll(_services.Values.Select(service => service.StopAsync(new CancellationToken(canceled: true))));

    public async ValueTask DisposeAsync()
    {
        foreach (var service in _services.Values)
        {
            await service.DisposeAsync();
        }
    }

    private async Task StartAsync(string service, CancellationToken cancellationToken)
    {
        // An empty builder reads neither the arguments nor the environment of the shop, so that its --urls are not ours.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port: 0));
        builder.Services.AddRoutingCore();

        var upstream = builder.Build();
        _services[service] = upstream;
        upstream.Use((context, next) => UpstreamFaults.InvokeAsync(context, next, faults[service], traffic.Of(service)));
        UpstreamServices.Map(upstream, service);
        await upstream.StartAsync(cancellationToken);
    }
}
