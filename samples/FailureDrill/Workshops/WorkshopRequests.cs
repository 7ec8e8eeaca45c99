using FailureDrill.Load;

namespace FailureDrill.Workshops;

/// <summary>What customers ask the workshop for.</summary>
internal static class WorkshopRequests
{
    /// <summary>What the workshop lives on, and the only one that is critical here.</summary>
    public static readonly Request Orders = new(HttpMethod.Get, "/orders");
    public static readonly Request Prints = new(HttpMethod.Get, "/prints");
    public static readonly Request Quotes = new(HttpMethod.Get, "/quotes");
    public static readonly Request Previews = new(HttpMethod.Get, "/previews");
    public static readonly Request Posters = new(HttpMethod.Get, "/posters");
    public static readonly Request Albums = new(HttpMethod.Get, "/albums");
    public static readonly Request Exports = new(HttpMethod.Get, "/exports");

    public static IReadOnlyList<Request> All { get; } = [Orders, Prints, Quotes, Previews, Posters, Albums, Exports];
}
