namespace Storefront.Profiles;

/// <summary>Who is shopping.</summary>
public sealed record Profile(int Id, string Name, int Since)
{
    /// <summary>Why this is nobody in particular, in words for the customer.</summary>
    public string? Excuse { get; init; }
}

/// <summary>What members get; the same for all of them.</summary>
public sealed record Benefits(string Text);

/// <summary>The customer service.</summary>
public sealed class ProfileClient(HttpClient http)
{
    public Task<Profile?> FindAsync(int customerId, CancellationToken cancellationToken) =>
        http.GetFromJsonAsync<Profile>($"/customers/{customerId}", cancellationToken);

    public Task<Benefits?> FindBenefitsAsync(CancellationToken cancellationToken) =>
        http.GetFromJsonAsync<Benefits>("/benefits", cancellationToken);
}
