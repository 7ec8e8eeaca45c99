namespace Storefront.Profiles;

/// <summary>Who is shopping.</summary>
public sealed record Profile(int Id, string Name, int Since);

/// <summary>The customer service.</summary>
public sealed class ProfileClient(HttpClient http)
{
    public Task<Profile?> FindAsync(int customerId, CancellationToken cancellationToken) =>
        http.GetFromJsonAsync<Profile>($"/customers/{customerId}", cancellationToken);
}
