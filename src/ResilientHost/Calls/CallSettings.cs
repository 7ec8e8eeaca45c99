namespace ResilientHost.Calls;

/// <summary>What is in force for all calls by name.</summary>
/// <param name="Enabled">The suite's and the layer's kill switches.</param>
/// <param name="Named">By name, without regard to case. Instances of names that did not change are those of the settings before.</param>
internal sealed record CallSettings(bool Enabled, IReadOnlyDictionary<string, CallResilienceOptions> Named)
{
    /// <summary>Whether there is any: every request asks. Settled when this is constructed, so that no other names may come by <see langword="with"/>.</summary>
    public bool HasNamed { get; } = Named.Count > 0;
}
