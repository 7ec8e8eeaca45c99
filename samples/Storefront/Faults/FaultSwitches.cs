using System.Collections.Concurrent;
using Storefront.Upstreams;

namespace Storefront.Faults;

/// <summary>The switch of each service, as set now.</summary>
internal sealed class FaultSwitches
{
    private readonly ConcurrentDictionary<string, Fault> _faults =
        new(ServiceNames.All.Select(name => KeyValuePair.Create(name, Fault.None)), StringComparer.Ordinal);

    public Fault this[string service] => _faults[service];

    /// <returns><see langword="false"/> when there is no such service.</returns>
    public bool TrySet(string service, Fault fault)
    {
        if (!_faults.ContainsKey(service))
        {
            return false;
        }

        _faults[service] = fault;
        return true;
    }
}
