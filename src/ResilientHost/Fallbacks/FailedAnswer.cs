using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Primitives;
using ResilientHost.Refusals;

namespace ResilientHost.Fallbacks;

/// <summary>An answer of 500 or above that was held back while a fallback was asked for a better one, to be sent when there is none.</summary>
internal sealed class FailedAnswer
{
    private readonly KeyValuePair<string, StringValues>[] _headers;
    private readonly byte[]? _body;

    private FailedAnswer(HttpResponse response, byte[]? body)
    {
        Status = response.StatusCode;
        _headers = [.. response.Headers];
        _body = body;
    }

    public int Status { get; }

    /// <summary>The answer that the response is about to give; <see langword="null"/> when it has started or is none of a failure.</summary>
    public static FailedAnswer? Take(HttpResponse response, GuardedResponseBody? body) =>
        response.HasStarted || response.StatusCode < StatusCodes.Status500InternalServerError ? null
        : new(response, body is { HasReplaced: true } ? body.TakeReplaced() : []);

    /// <summary>Sends it as it was; when it was too large to be kept, its status as a problem.</summary>
    public Task SendAsync(HttpContext context, ProblemWriter problems, ResponseBaseline baseline)
    {
        if (_body is null || !ResponseBody.TryDiscard(context.Response))
        {
            var title = ReasonPhrases.GetReasonPhrase(Status) is { Length: > 0 } phrase ? phrase : "The request failed.";
            return problems.WriteAsync(context, new Problem(Status, ProblemCodes.UnhandledException, title, RetryAfter: null), baseline);
        }

        var response = context.Response;
        response.StatusCode = Status;
        response.Headers.Clear();
        foreach (var (name, value) in _headers)
        {
            response.Headers[name] = value;
        }

        return _body.Length == 0 ? Task.CompletedTask : response.Body.WriteAsync(_body).AsTask();
    }
}
