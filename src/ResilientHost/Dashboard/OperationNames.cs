namespace ResilientHost.Dashboard;

/// <summary>What operations are called in the audit.</summary>
internal static class OperationNames
{
    public const string Level = "level";
    public const string Isolate = "circuit-breakers/isolate";
    public const string Reset = "circuit-breakers/reset";
    public const string ForceOpen = "circuit-breakers/force-open";

    /// <summary>Where the service level is set, under the path of the operations.</summary>
    public const string LevelPath = "/level";
}
