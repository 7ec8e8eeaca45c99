namespace ResilientHost.History;

/// <summary>One of the suite's own log events.</summary>
/// <param name="Id">Its number, from 1, without gaps.</param>
/// <param name="At">When it was written.</param>
/// <param name="EventId">The stable id of its kind.</param>
/// <param name="Name">What its kind is called, such as <c>Opened</c>.</param>
/// <param name="Level">The log level, such as <c>warning</c>.</param>
/// <param name="Slice">Which part of the suite wrote it, such as <c>circuitBreaking</c>.</param>
/// <param name="Message">What it says, at most 500 characters; <see langword="null"/> for who may not read names of callers.</param>
/// <param name="TraceId">The trace that it belongs to, 32 hexadecimal digits; <see langword="null"/> if none is known.</param>
internal sealed record LoggedEvent(long Id, DateTimeOffset At, int EventId, string? Name, string Level, string Slice, string? Message, string? TraceId);
