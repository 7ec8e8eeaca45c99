using System.Runtime.InteropServices;

namespace ResilientHost.Benchmarks.Simulations;

/// <summary>Half a second of a simulation, as it ended.</summary>
/// <param name="Seconds">Since the start.</param>
/// <param name="Limit">Calls that may be inside.</param>
/// <param name="InFlight">Calls inside.</param>
/// <param name="Goodput">Useful answers a second: no failure, and in time.</param>
/// <param name="Latency">Mean seconds that useful answers took.</param>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct LimitSample(double Seconds, int Limit, int InFlight, double Goodput, double Latency);
