using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http;
using ResilientHost.Benchmarks.Requests;

namespace ResilientHost.Benchmarks.Exceptions;

/// <summary>Answers every exception with what a fallback would have said, bound and written by the same code.</summary>
internal sealed class SpareAnswer : IExceptionHandler
{
    private readonly RequestDelegate _answer = RequestDelegateFactory.Create(Endpoints.Spare).RequestDelegate;

    public async ValueTask<bool> TryHandleAsync(HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
    {
        httpContext.Response.StatusCode = StatusCodes.Status200OK;
        await _answer(httpContext);
        return true;
    }
}
