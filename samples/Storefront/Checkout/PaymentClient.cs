namespace Storefront.Checkout;

/// <summary>The payment service behind checkout.</summary>
internal sealed class PaymentClient(HttpClient http)
{
    public async Task<string> PayAsync(Order order, CancellationToken cancellationToken)
    {
        using var response = await http.PostAsJsonAsync("/payments", order, cancellationToken);
        var payment = await response.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<Payment>(cancellationToken);
        return payment!.Reference;
    }

    private sealed record Payment(string Reference);
}
