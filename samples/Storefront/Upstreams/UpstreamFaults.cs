using Storefront.Faults;

namespace Storefront.Upstreams;

/// <summary>Makes a service behind the shop behave as its switch says.</summary>
internal static class UpstreamFaults
{
    public static async Task InvokeAsync(HttpContext context, RequestDelegate next, Fault fault, ServiceTraffic traffic)
    {
        using var call = traffic.Begin();

        if (fault.Hang)
        {
            await Task.Delay(Timeout.Infinite, context.RequestAborted);
        }

        if (fault.LatencyMs > 0)
        {
            await Task.Delay(fault.LatencyMs, context.RequestAborted);
        }

        if (fault.Reset)
        {
            context.Abort();
            return;
        }

        if (Random.Shared.NextDouble() < fault.ErrorRate)
        {
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            return;
        }

        await next(context);
    }
}
