using System.Text.Json.Nodes;

namespace Storefront.Faults;

/// <summary>
/// Forty customers who order at the same moment. The shop sends them itself, because a browser opens no more than six
/// connections to one server.
/// </summary>
internal static class Rush
{
    private const int Customers = 40;

    /// <summary>Orders over real connections, and counts what the customers got.</summary>
    public static async Task<IReadOnlyDictionary<string, int>> SendAsync(
        HttpContext context, IHttpClientFactory clients, CancellationToken cancellationToken)
    {
        var checkout = $"http://localhost:{context.Connection.LocalPort}/checkout";
        using var http = clients.CreateClient();
        var answers = await Task.WhenAll(Enumerable.Range(0, Customers).Select(_ => OrderAsync(http, checkout, cancellationToken)));
        return answers.CountBy(answer => answer, StringComparer.Ordinal).ToDictionary(StringComparer.Ordinal);
    }

    private static async Task<string> OrderAsync(HttpClient http, string checkout, CancellationToken cancellationToken)
    {
        try
        {
            using var response = await http.PostAsJsonAsync(checkout, new { ProductId = 1, Quantity = 1 }, cancellationToken);
            var code = response.Content.Headers.ContentType?.MediaType == "application/problem+json"
                ? (await response.Content.ReadFromJsonAsync<JsonObject>(cancellationToken))?["code"]
                : null;
            return response.IsSuccessStatusCode ? "paid" : $"{(int)response.StatusCode} {code}".TrimEnd();
        }
        catch (HttpRequestException)
        {
            return "the connection broke";
        }
    }
}
