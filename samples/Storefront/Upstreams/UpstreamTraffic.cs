using System.Collections.Frozen;

namespace Storefront.Upstreams;

/// <summary>What reaches the services behind the shop; tells whether a broken one is being left alone.</summary>
internal sealed class UpstreamTraffic
{
    private readonly FrozenDictionary<string, ServiceTraffic> _services =
        ServiceNames.All.ToFrozenDictionary(name => name, _ => new ServiceTraffic(), StringComparer.Ordinal);

    public ServiceTraffic Of(string service) => _services[service];
}

/// <summary>Calls that reached one service, ever and at this moment.</summary>
internal sealed class ServiceTraffic
{
    private long _calls;
    private int _inFlight;

    public long Calls => Interlocked.Read(ref _calls);

    public int InFlight => Volatile.Read(ref _inFlight);

    public IDisposable Begin()
    {
        Interlocked.Increment(ref _calls);
        Interlocked.Increment(ref _inFlight);
        return new Call(this);
    }

    private sealed class Call(ServiceTraffic traffic) : IDisposable
    {
        public void Dispose() => Interlocked.Decrement(ref traffic._inFlight);
    }
}
