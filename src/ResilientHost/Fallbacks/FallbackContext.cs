using System.Reflection;
using Microsoft.AspNetCore.Http;

namespace ResilientHost;

/// <summary>Why a fallback runs. A fallback takes it as a parameter, by type.</summary>
/// <remarks>Immutable; belongs to one request. At most one of <see cref="Exception"/>, <see cref="Refusal"/> and <see cref="FailedStatusCode"/> is set.</remarks>
public sealed class FallbackContext : IBindableFromHttpContext<FallbackContext>
{
    // As small as it can be: in an outage one is made for every request.
    private readonly object? _refusal;
    private readonly int _failedStatusCode;

    internal FallbackContext(HttpContext httpContext) => HttpContext = httpContext;

    /// <summary>What the endpoint threw.</summary>
    public Exception? Exception { get; internal init; }

    /// <summary>Why a layer refused the request, or gave up on it: a timeout has the reason <see cref="RefusalReason.Timeout"/>.</summary>
    public Refusal? Refusal
    {
        get => (Refusal?)_refusal;
        internal init => _refusal = value;
    }

    /// <summary>The status of the answer that is replaced.</summary>
    /// <value>500 or above; <see langword="null"/> when there was no answer, only an exception or a refusal.</value>
    public int? FailedStatusCode
    {
        get => _failedStatusCode == 0 ? null : _failedStatusCode;
        internal init => _failedStatusCode = value.GetValueOrDefault();
    }

    /// <summary>How much of the service is being offered.</summary>
    /// <value><see cref="ServiceLevel.Normal"/> as long as nothing degrades the service; see <see cref="IServiceLevel"/>.</value>
    public ServiceLevel Level { get; internal init; }

    /// <summary>The request.</summary>
    public HttpContext HttpContext { get; }

    /// <summary>Gives the fallback that runs for a request its context.</summary>
    /// <param name="context">The request.</param>
    /// <param name="parameter">The parameter that asks for it.</param>
    /// <returns>The context; <see langword="null"/> outside of a fallback.</returns>
    public static ValueTask<FallbackContext?> BindAsync(HttpContext context, ParameterInfo parameter)
    {
        ArgumentNullException.ThrowIfNull(context);
        return new(context.Features.Get<FallbackContext>());
    }
}
