namespace ResilientHost.Fallbacks;

/// <summary>A kept response and how old it is, which its own time does not tell where the wall clock was set.</summary>
internal readonly record struct StaleAnswer(StaleResponse Response, TimeSpan Age);
