namespace ResilientHost;

/// <summary>Where items go that cannot be processed. Bound from <c>Resilience:DeadLetters</c>; read at start.</summary>
/// <remarks>Not thread-safe. Of no effect when the application registers an <see cref="IDeadLetterSink"/> of its own.</remarks>
public sealed class DeadLetterOptions
{
    /// <summary>The folder of the journal; created when the first letter is written, readable by the process's user alone.</summary>
    /// <value>Default <c>dead-letters</c>, relative to the content root. A container needs a volume here if letters are to survive it.</value>
    public string Directory { get; set; } = "dead-letters";

    /// <summary>What the journal may hold. A full journal refuses: whoever has a letter to write keeps its item and stops taking more, until there is room.</summary>
    /// <value>From 64 KiB to 1 TiB; default 256 MiB.</value>
    public long MaxBytes { get; set; } = 256L * 1024 * 1024;

    /// <summary>The size from which on a further file is begun.</summary>
    /// <value>From 4 KiB to 1 GiB; default 8 MiB. One file never holds more than <see cref="MaxBytes"/>.</value>
    public long MaxFileBytes { get; set; } = 8L * 1024 * 1024;

    /// <summary>The longest a serialized item may be; a longer one is cut, and the letter says so.</summary>
    /// <value>From 1 KiB to 64 MiB; default 1 MiB. A quarter of <see cref="MaxBytes"/> is the most in any case.</value>
    public int MaxItemBytes { get; set; } = 1024 * 1024;

    /// <summary>Whether each letter is forced to the disk, so that it survives the machine's loss of power and not only the end of the process.</summary>
    /// <value>Default <see langword="false"/>.</value>
    public bool FlushToDisk { get; set; }
}
