using Microsoft.AspNetCore.Http;

namespace ResilientHost.Pipeline;

/// <summary>Is told of every request that has ended, from the outermost place there is.</summary>
internal interface IRequestObserver
{
    /// <summary>Whether requests that begin now are to be told. Asked for each of them, so it must be cheap.</summary>
    bool IsEnabled { get; }

    /// <summary>One request has ended, on the thread that ended it. What this throws is contained.</summary>
    void Completed(HttpContext context, in CompletedRequest request);
}

/// <summary>How a request ended.</summary>
/// <param name="StatusCode">Of the answer; 500 where an exception went past the outermost catch.</param>
/// <param name="Disposition">One of <see cref="RequestDisposition"/>.</param>
/// <param name="Duration">From the outermost middleware in until it was out again.</param>
/// <param name="IsOurs">Its endpoint tells how the service is doing: health, status, dashboard, operations.</param>
internal readonly record struct CompletedRequest(int StatusCode, string Disposition, TimeSpan Duration, bool IsOurs);
