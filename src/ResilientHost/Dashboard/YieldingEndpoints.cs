using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.Routing.Matching;
using ResilientHost.Pipeline;

namespace ResilientHost.Dashboard;

/// <summary>Where the application maps a path itself that the dashboard maps along, the application's endpoint answers, whichever call came first.</summary>
/// <remarks>
/// An order cannot say that: one above the application's counts before precedence, and any catch-all route would swallow the dashboard. Without this, two endpoints of one path are an error of the request.
/// </remarks>
internal sealed class YieldingEndpoints : MatcherPolicy, IEndpointSelectorPolicy
{
    /// <summary>Behind what chooses by host, method and the like: an endpoint that cannot answer is none to yield to.</summary>
    public override int Order => int.MaxValue;

    /// <summary>Whether an endpoint gives way to others of its path.</summary>
    public static bool Yields(Endpoint endpoint) => endpoint.Metadata.GetMetadata<OperationsEndpointMetadata>() is { Yields: true };

    public bool AppliesToEndpoints(IReadOnlyList<Endpoint> endpoints) => endpoints.Count > 1 && endpoints.Any(Yields);

    public Task ApplyAsync(HttpContext httpContext, CandidateSet candidates)
    {
        for (var i = 0; i < candidates.Count; i++)
        {
            if (candidates.IsValidCandidate(i) && Yields(candidates[i].Endpoint) && HasRival(candidates, candidates[i].Endpoint))
            {
                candidates.SetValidity(i, false);
            }
        }

        return Task.CompletedTask;
    }

    private static bool HasRival(CandidateSet candidates, Endpoint ours)
    {
        for (var i = 0; i < candidates.Count; i++)
        {
            var other = candidates[i].Endpoint;
            if (candidates.IsValidCandidate(i) && !Yields(other) && AreOfOneRank(ours, other))
            {
                return true;
            }
        }

        return false;
    }

    // Both match the path; of the same rank, they have literals and parameters in the same places.
    private static bool AreOfOneRank(Endpoint one, Endpoint other) =>
        one is RouteEndpoint mine
        && other is RouteEndpoint theirs
        && mine.Order == theirs.Order
        && mine.RoutePattern.InboundPrecedence == theirs.RoutePattern.InboundPrecedence;
}
