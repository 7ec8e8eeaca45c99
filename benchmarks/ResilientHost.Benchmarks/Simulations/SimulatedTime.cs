namespace ResilientHost.Benchmarks.Simulations;

/// <summary>The clock of a simulation: it stands where the simulation has come to.</summary>
internal sealed class SimulatedTime : TimeProvider
{
    private double _seconds;

    public double Seconds
    {
        get => _seconds;
        set => _seconds = value >= _seconds ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "Time does not go back.");
    }

    public override long TimestampFrequency => 1_000_000_000;

    public override long GetTimestamp() => (long)(_seconds * TimestampFrequency);
}
