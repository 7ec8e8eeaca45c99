namespace ResilientHost.Timeouts;
internal sealed class TimeoutPolicy(TimeoutOptions options) { public bool Enabled { get; } = options.Enabled; public TimeSpan? Default { get; } = options.Default; public TimeSpan Grace { get; } = options.Grace; }
