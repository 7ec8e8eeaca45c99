using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.OutputCaching;
using ResilientHost.Hosting;

namespace ResilientHost.Fallbacks;

/// <summary>Says on the answer that it is not the endpoint's own, when it starts, whatever the fallback has set itself.</summary>
internal sealed class FallbackMark : IResponseTap
{
    /// <summary>Tells the caller which fallback answered.</summary>
    public const string HeaderName = "Resilience-Fallback";

    private readonly HttpResponse _response;
    private readonly string _kind;
    private bool _withdrawn;

    public FallbackMark(HttpResponse response, string kind) => (_response, _kind) = (response, kind);

    /// <summary>Says it also when the server starts the response by itself.</summary>
    public void Register() => _response.OnStarting(
        static argument =>
        {
            ((FallbackMark)argument).Set();
            return Task.CompletedTask;
        },
        this);

    /// <summary>Says it now, also of an answer that has nothing to write.</summary>
    /// <remarks>
    /// The server's own word that the response starts comes too late for middleware that keeps answers: it looks at the headers when the first byte reaches it, or when the endpoint has returned.
    /// </remarks>
    public void Set()
    {
        if (!_withdrawn && !_response.HasStarted)
        {
            Set(_response, _kind);
        }
    }

    /// <summary>The fallback gave no answer: whatever starts now is not its own.</summary>
    public void Withdraw() => _withdrawn = true;

    public static void Set(HttpResponse response, string kind)
    {
        response.Headers[HeaderName] = kind;
        response.Headers.CacheControl = "no-store";
    }

    void IResponseTap.OnStarting(HttpContext context) => Set();

    void IResponseTap.OnWrite(ReadOnlySpan<byte> bytes)
    {
    }

    void IResponseTap.OnUnrecordable()
    {
    }

    /// <summary>The output cache asks for the status alone: an answer in place of the endpoint's would stand in for it until it expires.</summary>
    public static void KeepOutOfCache(HttpContext context)
    {
        if (context.Features.Find<IOutputCacheFeature>() is { Context: { } caching })
        {
            caching.AllowCacheStorage = false;
        }
    }
}
