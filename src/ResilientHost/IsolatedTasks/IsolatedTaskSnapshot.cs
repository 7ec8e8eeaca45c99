namespace ResilientHost.IsolatedTasks;

/// <summary>The tasks of one name at one moment.</summary>
/// <param name="Name">The name; names beyond the cap are told as one.</param>
/// <param name="Live">How many live.</param>
/// <param name="OldestAge">How long the oldest of them has; zero when none lives.</param>
/// <param name="Origin">Where the oldest was started, as <c>File.cs:12 Member</c>; <see langword="null"/> when none lives.</param>
/// <param name="TraceId">The trace that started the oldest, if it had one.</param>
/// <param name="IsLeaking">Whether they pile up.</param>
internal sealed record IsolatedTaskSnapshot(string Name, int Live, TimeSpan OldestAge, string? Origin, string? TraceId, bool IsLeaking);
