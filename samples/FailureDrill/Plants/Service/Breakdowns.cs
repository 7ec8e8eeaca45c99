namespace FailureDrill.Plants.Service;

/// <summary>What is broken in the plant, as the drill's switches say. Thread-safe.</summary>
internal sealed class Breakdowns
{
    private volatile bool _isConveyorTorn;
    private volatile bool _isBoilerBroken;
    private int _jams;

    /// <summary>Each run of the conveyor throws after a while.</summary>
    public bool IsConveyorTorn => _isConveyorTorn;

    /// <summary>The boiler throws whenever it is started.</summary>
    public bool IsBoilerBroken => _isBoilerBroken;

    public void TearConveyor() => _isConveyorTorn = true;

    public void RepairConveyor() => _isConveyorTorn = false;

    public void BreakBoiler() => _isBoilerBroken = true;

    /// <summary>The sorter's next pass hangs, and never notices that it is to end.</summary>
    public void JamSorter() => Interlocked.Exchange(ref _jams, 1);

    /// <summary>Whether this pass is the one; no further pass is.</summary>
    public bool TakeJam() => Interlocked.Exchange(ref _jams, 0) == 1;
}
