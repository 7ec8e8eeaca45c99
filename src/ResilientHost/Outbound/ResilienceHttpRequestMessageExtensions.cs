using ResilientHost;
using ResilientHost.Outbound;

namespace System.Net.Http;

/// <summary>Says of one request what its client's layers should do differently.</summary>
public static class ResilienceHttpRequestMessageExtensions
{
    /// <summary>Sets what this request asks of the layers; replaces what was set before.</summary>
    /// <param name="request">The request, before it is sent.</param>
    /// <param name="resilience">What it asks for.</param>
    /// <returns>The same request.</returns>
    /// <exception cref="ArgumentNullException">An argument is <see langword="null"/>.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A value is out of its bounds. What was put into <see cref="HttpRequestMessage.Options"/> by hand is checked when the request is sent.</exception>
    public static HttpRequestMessage WithResilience(this HttpRequestMessage request, RequestResilience resilience)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(resilience);
        RequestResilienceBounds.Check(resilience);
        request.Options.Set(RequestResilience.Key, resilience);
        return request;
    }
}
