namespace ResilientHost.Degradation;

/// <summary>What is in force for requests, in one number that is read and written at once.</summary>
/// <remarks>Severity and whether it is enforced must never be seen apart: the severity of a level set by hand, read with the mode of the signals, would turn down what nobody asked to.</remarks>
internal readonly struct Shedding
{
    // Negative: only counted.
    private readonly double _signed;

    private Shedding(double signed) => _signed = signed;

    public Shedding(double severity, bool isEnforced) => _signed = isEnforced ? severity : -severity;

    /// <summary>0 to 3.</summary>
    public double Severity => Math.Abs(_signed);

    public bool IsActive => _signed != 0;

    public bool IsEnforced => _signed > 0;

    // Every request asks, and rounding takes longer than the rest of the answer.
    public ServiceLevel Level => IsActive ? LevelOf(Severity) : ServiceLevel.Normal;

    public static ServiceLevel LevelOf(double severity) => (ServiceLevel)(int)Math.Ceiling(severity);

    public static Shedding Read(ref double location) => new(Volatile.Read(ref location));

    public void Write(ref double location) => Volatile.Write(ref location, _signed);
}
