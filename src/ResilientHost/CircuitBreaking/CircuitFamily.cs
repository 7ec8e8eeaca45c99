using ResilientHost.Hosting;

namespace ResilientHost.CircuitBreaking;

/// <summary>What all breakers of one name share: a keyed breaker's partitions, or a breaker by itself.</summary>
/// <remarks>Immutable and thread-safe. One reference instead of three in each of a hundred thousand partitions.</remarks>
internal sealed class CircuitFamily(string name, CircuitServices services, CircuitListener[] listeners)
{
    public string Name { get; } = name;

    public CircuitServices Services { get; } = services;

    public MonotonicClock Clock { get; } = services.Clock;

    /// <summary>Told the changes of every member.</summary>
    public CircuitListener[] Listeners { get; } = listeners;
}
