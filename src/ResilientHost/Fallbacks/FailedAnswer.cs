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

    private FailedAnswer(int status, HttpResponse response, byte[]? body)
    {
        Status = status;
        _headers = [.. response.Headers];
        _body = body;
    }

    public int Status { get; }

    /// <summary>The answer that the response is about to give; <see langword="null"/> when it is none of a failure, or can be held back no more.</summary>
    public static FailedAnswer? Take(HttpResponse response, GuardedResponseBody? body) =>
        !IsHeldBack(response, body) ? null
        : body is { HasReplaced: true } ? new(body.ReplacedStatusCode, response, body.TakeReplaced())
        : new(response.StatusCode, response, []);

    /// <summary>Whether there is one. Of what has come by the guard it is the guard that knows: the status may have been set anew since.</summary>
    public static bool IsHeldBack(HttpResponse response, GuardedResponseBody? body) =>
        !response.HasStarted
        && (body is { HasDecided: true } ? body.HasReplaced : response.StatusCode >= StatusCodes.Status500InternalServerError);

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
