namespace FailureDrill.Agencies;

/// <summary>What an agency asks, and a drill breaks.</summary>
internal interface IUpstream : IAsyncDisposable
{
    /// <summary>Tells an agency where to find it: arguments of its command line.</summary>
    IReadOnlyList<string> Arguments { get; }
}
