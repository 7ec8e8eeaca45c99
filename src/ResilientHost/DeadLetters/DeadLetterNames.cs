namespace ResilientHost.DeadLetters;

/// <summary>The slice's enumerations as tags show them.</summary>
internal static class DeadLetterNames
{
    public static string Of(DeadLetterReason reason) => reason switch
    {
        DeadLetterReason.Poison => "poison",
        DeadLetterReason.Shutdown => "shutdown",
        DeadLetterReason.Unreadable => "unreadable",
        _ => throw new ArgumentOutOfRangeException(nameof(reason), reason, "There is no such reason."),
    };
}
