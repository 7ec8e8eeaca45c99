using System.Text.Json;
using FailureDrill.Load;
using FailureDrill.Plants.Service;

namespace FailureDrill.Plants;

/// <summary>What customers ask the plant for.</summary>
internal static class PlantRequests
{
    public static readonly Request Quotes = new(HttpMethod.Get, "/quotes");
    public static readonly Request Tours = new(HttpMethod.Get, "/tours");

    /// <summary>Orders to be packed, told apart by their numbers.</summary>
    /// <param name="count">How many.</param>
    /// <param name="poisonEvery">Each so manieth cannot be packed; <see langword="null"/>: all can.</param>
    public static IReadOnlyList<Request> Orders(int count, int? poisonEvery = null) =>
        [.. Enumerable.Range(1, count).Select(i => Order(new Order($"{i}", poisonEvery is { } every && i % every == 0)))];

    /// <summary>The order that a request of <see cref="Orders"/> left.</summary>
    public static Order OrderOf(Request request) => JsonSerializer.Deserialize<Order>(request.Json!, JsonSerializerOptions.Web)!;

    private static Request Order(Order order) => new(HttpMethod.Post, "/orders", JsonSerializer.Serialize(order, JsonSerializerOptions.Web));
}
