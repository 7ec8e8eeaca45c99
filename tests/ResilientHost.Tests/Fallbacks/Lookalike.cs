namespace ResilientHost.Tests.Fallbacks.Lookalike;

/// <summary>A type whose name alone does not tell it from another.</summary>
public sealed record Random;
