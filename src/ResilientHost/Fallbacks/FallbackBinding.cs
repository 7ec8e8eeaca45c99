using Microsoft.AspNetCore.Http;

namespace ResilientHost.Fallbacks;

/// <summary>A fallback that fits its endpoint. Compiled at its first use, once.</summary>
/// <remarks>Thread-safe, immutable.</remarks>
internal sealed class FallbackBinding(string signature, bool readsBody, Func<RequestDelegate> compile)
{
    // The default mode: callers that race for the first use wait for one compilation and share what came of it.
    private readonly Lazy<RequestDelegate> _handler = new(compile);

    /// <summary>It binds the request's body, or may: it runs only where the body can be had a second time.</summary>
    public bool ReadsBody { get; } = readsBody;

    /// <summary>It runs inside of the endpoint's MVC filters that authorize.</summary>
    public bool RunsFilters { get; init; }

    /// <summary>How it would be written in C#. For people.</summary>
    public string Signature { get; } = signature;

    /// <summary>Runs it for a request whose features hold a <see cref="FallbackContext"/>.</summary>
    /// <returns>
    /// Fails with what the fallback throws, and with <see cref="BadHttpRequestException"/> when a parameter cannot be bound: that is a fallback that failed, never the caller's fault. May throw at once, too.
    /// </returns>
    public Task InvokeAsync(HttpContext context) => _handler.Value(context);
}
