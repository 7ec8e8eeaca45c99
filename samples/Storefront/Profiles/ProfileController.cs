using Microsoft.AspNetCore.Mvc;
using ResilientHost;

namespace Storefront.Profiles;

/// <summary>The customer's own page: the same layers on a controller, by attribute.</summary>
[ApiController]
[Route("profile")]
[CircuitBreaker("profile")]
[Bulkhead("profile")]
public sealed class ProfileController(ProfileClient profiles) : ControllerBase
{
    [HttpGet]
    public async Task<ActionResult<Profile>> GetAsync(CancellationToken cancellationToken) =>
        await profiles.FindAsync(customerId: 7, cancellationToken) is { } profile ? profile : NotFound();
}
