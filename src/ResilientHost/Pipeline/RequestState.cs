using Microsoft.AspNetCore.Http;
using ResilientHost.Refusals;

namespace ResilientHost.Pipeline;

/// <summary>What one request holds while it is inside the layers. Pooled; owned by one request at a time.</summary>
internal sealed class RequestState
{
    public HttpContext Context { get; private set; } = null!;

    public EndpointPlan Plan { get; private set; } = null!;

    /// <summary>The endpoint's task, where it did not complete at once.</summary>
    public Task Endpoint { get; set; } = Task.CompletedTask;

    public ResponseBaseline Baseline { get; } = new();

    /// <summary>Whether recovery was on when the endpoint was called: a request keeps to the end what it began with.</summary>
    public bool Recovers { get; set; }

    /// <summary>Middleware further out holds the response body: an exception must tell it of an answer that was cut off.</summary>
    public bool TellsOuter { get; set; }

    /// <summary>A callback of the response may still hold this state after the request's own frame has ended: dropped, not pooled.</summary>
    public bool IsShared { get; set; }

    // A field: the gates change it in place.
    public Admission Admission;

    public void Begin(HttpContext context, EndpointPlan plan, in Admission admission)
    {
        Context = context;
        Plan = plan;
        Admission = admission;
    }

    public void End()
    {
        Context = null!;
        Plan = null!;
        Endpoint = Task.CompletedTask;
        Recovers = false;
        TellsOuter = false;
        Admission = default;
        Baseline.Clear();
    }
}
