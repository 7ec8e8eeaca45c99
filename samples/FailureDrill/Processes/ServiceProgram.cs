namespace FailureDrill.Processes;

/// <summary>What is started to be drilled.</summary>
/// <param name="Name">As error messages spell it.</param>
/// <param name="Assembly">Its program.</param>
/// <param name="Arguments">Its arguments.</param>
internal sealed record ServiceProgram(string Name, string Assembly, IReadOnlyList<string> Arguments)
{
    /// <summary>File descriptors that it may have open at once; <see langword="null"/>: as many as we may.</summary>
    public int? MaxDescriptors { get; init; }

    /// <summary>How large its managed heap may become; <see langword="null"/>: as the runtime sees fit.</summary>
    public long? MaxHeapBytes { get; init; }

    /// <summary>What lines of its log may say that are counted; <see langword="null"/>: none are.</summary>
    public string? Telling { get; init; }
}
