using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;

namespace ResilientHost.Pipeline;

/// <summary>Installs the outermost catch, and checks the finished pipeline before the server listens.</summary>
internal sealed class RecoveryStartupFilter(PipelinePlacement placement) : IStartupFilter
{
    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        app.UseMiddleware<RecoveryMiddleware>();
        next(app);

        // Only now are all endpoints mapped and all middlewares placed.
        placement.Check();
    };
}
