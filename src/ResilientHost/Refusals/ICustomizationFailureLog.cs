using Microsoft.AspNetCore.Http;

namespace ResilientHost.Refusals;

/// <summary>Told when the application's own problem envelope throws. Must not throw itself.</summary>
internal interface ICustomizationFailureLog
{
    void CustomizationFailed(HttpContext context, Exception failure);
}
