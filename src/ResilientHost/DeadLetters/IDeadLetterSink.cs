namespace ResilientHost;

/// <summary>Takes items that could not be processed, so that somebody can look at them and hand them in again.</summary>
/// <remarks>
/// Register one as a singleton to replace the journal in files. <see cref="WriteAsync"/> MUST complete only when the letter is kept, and throw when it is not: the item is then kept and offered
/// again. It MUST be safe for concurrent use. It may see the same item again after a crash.
/// </remarks>
public interface IDeadLetterSink
{
    /// <summary>Keeps a letter.</summary>
    /// <param name="letter">The item and why it is here.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <returns>Complete when the letter is kept.</returns>
    ValueTask WriteAsync(DeadLetter letter, CancellationToken cancellationToken = default);
}
