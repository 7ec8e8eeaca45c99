namespace Storefront.Faults;

/// <summary>The place where an endpoint of the shop itself fails, if its switch says so.</summary>
internal static class FaultPoint
{
    public static TBuilder WithFaultPoint<TBuilder>(this TBuilder builder, string service)
        where TBuilder : IEndpointConventionBuilder =>
        builder.AddEndpointFilter(async (context, next) =>
        {
            var fault = context.HttpContext.RequestServices.GetRequiredService<FaultSwitches>()[service];
            if (fault.CrashAfterStart)
            {
                await StartAnswerAsync(context.HttpContext.Response);
            }

            if (fault.Crash || fault.CrashAfterStart)
            {
                await FailDeepInsideAsync(depth: 24, fault.CrashDetail);
            }

            return await next(context);
        });

    private static async Task StartAnswerAsync(HttpResponse response)
    {
        response.ContentType = "application/json";
        await response.WriteAsync("""[{"id":1,"name":"Enamel kettle"},{"id":2,"na""");
        await response.Body.FlushAsync();
    }

    // Real exceptions come from below many awaits, and that is what makes rendering and logging them expensive.
    private static async Task FailDeepInsideAsync(int depth, string? detail)
    {
        if (depth > 0)
        {
            await FailDeepInsideAsync(depth - 1, detail);
            return;
        }

        await Task.Yield();
        throw new InvalidOperationException(detail ?? "The fault switch of this service is set to crash.");
    }
}
