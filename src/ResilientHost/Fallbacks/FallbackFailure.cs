namespace ResilientHost.Fallbacks;

/// <summary>Why a fallback gave no answer. Immutable.</summary>
/// <param name="Reason">One of <see cref="ResilienceDiagnostics.FallbackTagValues"/>.</param>
/// <param name="What">The same for people.</param>
/// <param name="Exception">What was thrown.</param>
/// <param name="IsCut">Nothing whole can be answered any more.</param>
internal sealed record FallbackFailure(string Reason, string What, Exception? Exception = null, bool IsCut = false)
{
    public static FallbackFailure NotKept { get; } = new(ResilienceDiagnostics.FallbackTagValues.Miss, "no response was kept that is young enough");

    public static FallbackFailure NotAnswerable { get; } = new(ResilienceDiagnostics.FallbackTagValues.Miss, "the request is not one that a kept response may answer");
}
