using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace ResilientHost.Refusals;

/// <summary>Hands problems to the application's own envelope, when it has one.</summary>
/// <remarks>
/// <c>AddProblemDetails()</c> alone asks for nothing that our body lacks; only a <c>CustomizeProblemDetails</c> callback, a custom
/// <see cref="IProblemDetailsWriter"/> or a custom <see cref="IProblemDetailsService"/> takes the slower way.
/// </remarks>
internal sealed class ProblemCustomization
{
    private const string FrameworkPrefix = "Microsoft.AspNetCore.";
    private const int Unknown = 0;
    private const int Plain = 1;
    private const int Customized = 2;
    private int _state;

    /// <summary>The service to write with; <see langword="null"/> when nothing is customised.</summary>
    public IProblemDetailsService? ServiceFor(HttpContext context)
    {
        var state = Volatile.Read(ref _state);
        if (state == Plain || context.RequestServices is not { } services)
        {
            return null;
        }

        if (state == Unknown)
        {
            // Registrations do not change while a host lives. Looked up within a request because writers may be scoped; two requests find the same.
            state = IsAskedFor(services) ? Customized : Plain;
            Volatile.Write(ref _state, state);
        }

        return state == Customized ? services.GetService<IProblemDetailsService>() : null;
    }

    /// <summary>The problem with our fields prefilled.</summary>
    public static ProblemDetailsContext CreateContext(HttpContext context, in Problem problem, DateTimeOffset now, Exception? exception, ExceptionDetails? details)
    {
        var body = new ProblemDetails { Type = ProblemCodes.TypeOf(problem.Code), Title = problem.Title, Status = problem.Status };
        var traceId = RequestIdentity.TraceIdOf(context);
        body.Extensions["code"] = problem.Code;
        body.Extensions["traceId"] = traceId;
        body.Extensions["timestamp"] = now.UtcDateTime.ToString("O", CultureInfo.InvariantCulture);
        if (problem.RetryAfterSeconds > 0)
        {
            body.Extensions["retryAfterSeconds"] = problem.RetryAfterSeconds;
        }

        if (details is not null)
        {
            body.Extensions["exception"] = new Dictionary<string, string>(StringComparer.Ordinal)
            {
                ["type"] = details.Type,
                ["message"] = details.Message,
                ["stack"] = details.Stack,
            };
        }

        context.Features.Set(new PrefilledTraceId(traceId));
        return new ProblemDetailsContext { HttpContext = context, ProblemDetails = body, Exception = exception };
    }

    private static bool IsAskedFor(IServiceProvider services)
    {
        if (services.GetService<IProblemDetailsService>() is not { } service)
        {
            return false;
        }

        return !IsFrameworkType(service)
            || services.GetService<IOptions<ProblemDetailsOptions>>()?.Value.CustomizeProblemDetails is not null
            || services.GetServices<IProblemDetailsWriter>().Any(writer => !IsFrameworkType(writer));
    }

    private static bool IsFrameworkType(object service) =>
        service.GetType().Assembly.GetName().Name?.StartsWith(FrameworkPrefix, StringComparison.Ordinal) is true;

    /// <summary>
    /// The framework's writer overwrites <c>traceId</c> by the whole activity id just before it calls the customisation; this puts
    /// the 32 digits back, so that body, log and contract agree, and then lets the application have its say.
    /// </summary>
    internal sealed class KeepTraceId : IPostConfigureOptions<ProblemDetailsOptions>
    {
        public void PostConfigure(string? name, ProblemDetailsOptions options)
        {
            if (options.CustomizeProblemDetails is not { } customize)
            {
                return;
            }

            options.CustomizeProblemDetails = context =>
            {
                if (context.HttpContext.Features.Get<PrefilledTraceId>() is { } prefilled)
                {
                    context.ProblemDetails.Extensions["traceId"] = prefilled.Value;
                }

                customize(context);
            };
        }
    }

    private sealed class PrefilledTraceId(string value)
    {
        public string Value { get; } = value;
    }
}
