using Microsoft.AspNetCore.Http;
using ResilientHost.Pipeline;

namespace ResilientHost.Dashboard;

/// <summary>Writes down attempts to operate that never got as far as the operation: refused by its policy, mostly, which is what an auditor asks for.</summary>
/// <remarks>Looks from outside, once the answer is known. Costs requests that cannot be such attempts a look at a flag or at their path. Thread-safe.</remarks>
internal sealed class OperationAttempts(OperationAudit audit)
{
    private static readonly object Arrived = new();
    private static readonly string[] Paths = [OperationNames.LevelPath, $"/{OperationNames.Isolate}", $"/{OperationNames.Reset}", $"/{OperationNames.ForceOpen}"];

    private volatile bool _areExpected;

    /// <summary>Whether operations are mapped.</summary>
    public bool AreExpected
    {
        get => _areExpected;
        set => _areExpected = value;
    }

    /// <summary>Notes that a request has come to its operation, which answers for itself.</summary>
    public static void Arrive(HttpContext context) => context.Items[Arrived] = Arrived;

    /// <summary>Whether a request may be such an attempt.</summary>
    public bool MayBe(HttpRequest request)
    {
        if (!_areExpected || !HttpMethods.IsPost(request.Method))
        {
            return false;
        }

        var path = request.Path.Value.AsSpan().TrimEnd('/');
        foreach (var known in Paths)
        {
            if (path.EndsWith(known, StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Runs the pipeline for a request that may be one.</summary>
    public async Task WatchAsync(HttpContext context, RequestDelegate pipeline)
    {
        await pipeline(context);
        if (!context.Items.ContainsKey(Arrived) && context.GetEndpoint()?.Metadata.GetMetadata<OperationsEndpointMetadata>() is { Operation: { } operation })
        {
            audit.Refused(context, operation, context.Response.StatusCode, "its policy, or a middleware before the endpoint, turned it away.");
        }
    }
}
