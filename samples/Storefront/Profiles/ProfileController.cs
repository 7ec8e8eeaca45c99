using Microsoft.AspNetCore.Mvc;
using ResilientHost;

namespace Storefront.Profiles;

/// <summary>
/// The customer's own page: the same layers on a controller, by attribute. Who cannot be recognised shops as a guest. A profile
/// is one person's, so no last good one is ever kept; the benefits are the same for everybody, so theirs is, and who is shown
/// yesterday's misses little.
/// </summary>
[ApiController]
[Route("profile")]
[CircuitBreaker("profile")]
[Bulkhead("profile")]
[Timeout("00:00:01")]
public sealed class ProfileController(ProfileClient profiles) : ControllerBase
{
    [HttpGet]
    [Fallback(nameof(Guest))]
    public async Task<ActionResult<Profile>> GetAsync(CancellationToken cancellationToken) =>
        await profiles.FindAsync(customerId: 7, cancellationToken) is { } profile ? profile : NotFound();

    [HttpGet("benefits")]
    [StaleFallback(maxAgeSeconds: 3600)]
    [Criticality(Criticality.Sheddable)]
    public async Task<ActionResult<Benefits>> GetBenefitsAsync(CancellationToken cancellationToken) =>
        await profiles.FindBenefitsAsync(cancellationToken) is { } benefits ? benefits : NotFound();

    // Private, for a public method would be an endpoint of its own; what it returns still goes through MVC.
    private ActionResult<Profile> Guest(FallbackContext why)
    {
        var excuse = why switch
        {
            { Refusal.Reason: RefusalReason.Timeout } => "it took us too long to find your profile",
            { Refusal: not null } => "we are not asking for profiles at the moment",
            _ => "we could not look up your profile",
        };
        return Ok(new Profile(Id: 0, Name: "guest", Since: 0) { Excuse = excuse });
    }
}
