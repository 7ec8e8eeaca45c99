namespace FailureDrill.Plants.Service;

/// <summary>What customers leave at the plant, to be packed when its turn comes.</summary>
/// <param name="Id">Unique within a drill.</param>
/// <param name="IsPoison">Whether nobody can ever pack it.</param>
internal sealed record Order(string Id, bool IsPoison = false);
