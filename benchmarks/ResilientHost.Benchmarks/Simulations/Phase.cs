namespace ResilientHost.Benchmarks.Simulations;

/// <summary>How the world is from a moment on.</summary>
/// <param name="From">Seconds since the start.</param>
/// <param name="Servers">Calls that are worked on at a time; the others queue.</param>
/// <param name="ServiceSeconds">Mean time that a call is worked on.</param>
/// <param name="FastFailures">Share of calls that fail at once, without being worked on.</param>
internal sealed record Phase(double From, int Servers, double ServiceSeconds, double FastFailures = 0)
{
    /// <summary>Calls that the servers can finish in a second.</summary>
    public double CallsPerSecond => Servers / ServiceSeconds;
}
