namespace ResilientHost;

/// <summary>The dead letters take all the room they may: the letter was not written.</summary>
/// <remarks>Whoever has a letter to write keeps its item and tries again. There is room when letters are removed: <see cref="DeadLetterJournal.RemoveAsync"/>.</remarks>
public sealed class DeadLettersFullException : IOException
{
    /// <summary>Makes an exception without a message of its own.</summary>
    public DeadLettersFullException()
    {
    }

    /// <summary>Makes an exception.</summary>
    /// <param name="message">Which journal, how full, and what to do.</param>
    public DeadLettersFullException(string message)
        : base(message)
    {
    }

    /// <summary>Makes an exception that another one caused.</summary>
    /// <param name="message">Which journal, how full, and what to do.</param>
    /// <param name="innerException">The cause.</param>
    public DeadLettersFullException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
