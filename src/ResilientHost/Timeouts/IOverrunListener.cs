namespace ResilientHost.Timeouts;

/// <summary>Is told by <see cref="RequestTimeout"/> what a request did with its time. Each member at most once per request.</summary>
/// <remarks>
/// Called on the timer's thread and under no lock, while the request goes on or even ends: an implementation must touch nothing of the
/// <c>HttpContext</c> and use only what it copied before. What it throws goes nowhere.
/// </remarks>
internal interface IOverrunListener
{
    /// <summary>The timeout ran out before the response started; the endpoint's token is about to be cancelled.</summary>
    void OnExpired();

    /// <summary>The grace is over too; the connection or stream is about to be aborted.</summary>
    void OnOverrun();
}
