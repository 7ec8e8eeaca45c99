namespace ResilientHost.Signals;

/// <summary>A signal that this machine does not give.</summary>
/// <param name="Name">One of <see cref="ResilienceDiagnostics.SignalNames"/>.</param>
/// <param name="Why">What is missing, for people.</param>
internal sealed record MissingSignal(string Name, string Why);
