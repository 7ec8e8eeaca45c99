namespace ResilientHost;

/// <summary>What a <see cref="JournaledChannel{T}"/> may hold and where its unreadable records go.</summary>
/// <remarks>Read once, when the channel is opened. Not thread-safe.</remarks>
public sealed class JournaledChannelOptions
{
    /// <summary>Items that were written and are not finished: those that wait and those that are being processed. A further write waits.</summary>
    /// <value>From 1 to 10,000,000; default 10,000.</value>
    public int Capacity { get; set; } = 10_000;

    /// <summary>What the journal's files may take. A write that has no room waits until items are finished.</summary>
    /// <value>From 4 KiB to 1 TiB; default 256 MiB.</value>
    public long MaxBytes { get; set; } = 256L * 1024 * 1024;

    /// <summary>The size from which on a further file is begun. A file is deleted when all of its items are finished.</summary>
    /// <value>From 1 KiB to 1 GiB, at most <see cref="MaxBytes"/>; default 8 MiB.</value>
    public long MaxFileBytes { get; set; } = 8L * 1024 * 1024;

    /// <summary>Whether each write is forced to the disk, so that it survives the machine's loss of power and not only the end of the process. Writes that arrive together share one.</summary>
    /// <value>Default <see langword="false"/>.</value>
    public bool FlushToDisk { get; set; }

    /// <summary>Where records go that are damaged, or that the type cannot be made of any more.</summary>
    /// <value>Default <see langword="null"/>: the folder <c>dead-letters</c> within the journal's, which a <see cref="DeadLetterJournal"/> reads.</value>
    public IDeadLetterSink? DeadLetters { get; set; }

    internal void Validate()
    {
        Check(Capacity is >= 1 and <= 10_000_000, nameof(Capacity), "from 1 to 10,000,000", Capacity);
        Check(MaxBytes is >= 4096 and <= 1L << 40, nameof(MaxBytes), "from 4 KiB to 1 TiB", MaxBytes);
        Check(MaxFileBytes is >= 1024 and <= 1L << 30 && MaxFileBytes <= MaxBytes, nameof(MaxFileBytes), $"from 1 KiB to 1 GiB and at most {nameof(MaxBytes)}", MaxFileBytes);
    }

    private static void Check(bool holds, string property, string rule, long value)
    {
        if (!holds)
        {
            throw new ArgumentOutOfRangeException(property, value, $"{property} of a journaled channel must be {rule}, but is {value}.");
        }
    }
}
