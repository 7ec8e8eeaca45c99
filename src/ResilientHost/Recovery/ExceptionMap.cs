using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Polly.Timeout;
using ResilientHost.Refusals;

namespace ResilientHost.Recovery;

/// <summary>Which problem an exception is answered with when nobody else answers it. Immutable.</summary>
internal sealed class ExceptionMap(RecoveryOptions options)
{
    private const string UnhandledTitle = "The service failed to handle the request.";

    // Not frozen ones, which cost a start more than they can ever give back to failures.
    private readonly Dictionary<string, int> _statuses = new(options.StatusCodes, StringComparer.OrdinalIgnoreCase);
    private readonly Dictionary<string, string> _codes = new(options.ProblemCodes, StringComparer.OrdinalIgnoreCase);

    /// <summary>The problem of an exception: the nearest type of its inheritance chain that is mapped decides, else 500.</summary>
    public Problem Resolve(Exception exception)
    {
        // How an HttpClient says that its own timeout ran out. As a cancellation it would mean nothing, for nobody cancelled.
        if (exception is TaskCanceledException { InnerException: TimeoutException timeout } && !IsMapped(exception.GetType()))
        {
            exception = timeout;
        }

        int? status = null;
        string? code = null;
        for (var type = exception.GetType(); type is not null && type != typeof(object); type = type.BaseType)
        {
            status ??= StatusOf(type, exception);
            code ??= CodeOf(type);
        }

        // A pipeline's timeout, unless somebody has said what it is to mean.
        code ??= exception is TimeoutRejectedException && status == StatusCodes.Status504GatewayTimeout ? ProblemCodes.Timeout : null;

        var known = status ?? StatusCodes.Status500InternalServerError;
        return new Problem(known, code ?? ProblemCodes.UnhandledException, TitleOf(known), RetryAfter: null);
    }

    private bool IsMapped(Type type) => type.FullName is { } name && (_statuses.ContainsKey(name) || _codes.ContainsKey(name));

    private int? StatusOf(Type type, Exception exception)
    {
        if (type.FullName is { } name && _statuses.TryGetValue(name, out var status))
        {
            return status;
        }

        if (type == typeof(BadHttpRequestException))
        {
            var own = ((BadHttpRequestException)exception).StatusCode;
            return own is >= 400 and <= 599 ? own : StatusCodes.Status400BadRequest;
        }

        if (type == typeof(TimeoutRejectedException))
        {
            return StatusCodes.Status504GatewayTimeout;
        }

        return type.IsConstructedGenericType ? StatusOf(type.GetGenericTypeDefinition(), exception) : null;
    }

    private string? CodeOf(Type type)
    {
        if (type.FullName is { } name && _codes.TryGetValue(name, out var code))
        {
            return code;
        }

        return type.IsConstructedGenericType ? CodeOf(type.GetGenericTypeDefinition()) : null;
    }

    private static string TitleOf(int status)
    {
        if (status == StatusCodes.Status500InternalServerError)
        {
            return UnhandledTitle;
        }

        var phrase = ReasonPhrases.GetReasonPhrase(status);
        return phrase.Length != 0 ? phrase : status < 500 ? "The request cannot be served." : UnhandledTitle;
    }
}
