namespace ResilientHost.Recovery;

/// <summary>What recovery does; immutable, built once per change of <see cref="RecoveryOptions"/>.</summary>
internal sealed class RecoveryPolicy
{
    /// <param name="options">Valid options.</param>
    /// <param name="isDevelopment">Whether the host runs in the Development environment.</param>
    public RecoveryPolicy(RecoveryOptions options, bool isDevelopment)
    {
        Enabled = options.Enabled;
        IncludeExceptionDetails = isDevelopment && options.IncludeExceptionDetails is not false;
        DetailInterval = options.DetailInterval;
        LogUserId = options.LogUserId;
        Exceptions = new ExceptionMap(options);
    }

    public bool Enabled { get; }

    public bool IncludeExceptionDetails { get; }

    public TimeSpan DetailInterval { get; }

    public bool LogUserId { get; }

    public ExceptionMap Exceptions { get; }
}
