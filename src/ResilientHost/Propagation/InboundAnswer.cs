using Microsoft.AspNetCore.Http;

namespace ResilientHost.Propagation;

/// <summary>Sees a request's response begin: says in a failed one whether the request is worth making again, and ends what waited for it. One for each request.</summary>
/// <remarks>Not a part of <see cref="InboundCall"/>, which may outlive the request and must not hold on to its response.</remarks>
internal sealed class InboundAnswer
{
    private const string No = "no";

    private static readonly Func<object, Task> OnStarting = static state => ((InboundAnswer)state).Begin();

    private readonly HttpResponse _response;
    private readonly InboundCall _call;

    private InboundAnswer(HttpResponse response, InboundCall call)
    {
        _response = response;
        _call = call;
    }

    /// <summary>Waits for the response to begin; before the endpoint is called, so that the last word on the status has been spoken by then.</summary>
    public static void Attach(HttpResponse response, InboundCall call)
    {
        if (!response.HasStarted)
        {
            response.OnStarting(OnStarting, new InboundAnswer(response, call));
        }
    }

    private Task Begin()
    {
        _call.EndDeadlines();

        // To everyone: a caller that does not know the header passes it over.
        if (_call.DependencyFailed && _response.StatusCode >= StatusCodes.Status500InternalServerError)
        {
            _response.Headers[PropagationHeaders.Retry] = No;
        }

        return Task.CompletedTask;
    }
}
