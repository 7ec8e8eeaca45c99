using System.Diagnostics;
using System.Security.Claims;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using ResilientHost.Hosting;
using ResilientHost.Recovery;
using ResilientHost.Telemetry;

namespace ResilientHost.Dashboard;

/// <summary>Writes down who operated, and who tried: as a log event and on the request's span.</summary>
/// <remarks>Thread-safe; no member throws. What was done is always written; refused attempts, which anyone can repeat at will, are summed up.</remarks>
internal sealed partial class OperationAudit : IDisposable
{
    private const int MaxNameLength = 128;
    private const int MaxTargetLength = 512;

    private readonly ILogger _logger;
    private readonly ResilienceInstance _instance;
    private readonly LogStorm _refusals;

    public OperationAudit(ILogger<OperationAudit> logger, ResilienceInstance instance, MonotonicClock clock)
    {
        _logger = logger;
        _instance = instance;
        _refusals = new LogStorm(clock.Provider, more => MoreRefused(more, LogStorm.Interval.TotalSeconds));
    }

    /// <summary>Who a request is from, for people: a user's name, else an address.</summary>
    public static string NameOf(HttpContext context)
    {
        var address = context.Connection.RemoteIpAddress;
        return context.User.Identity is { IsAuthenticated: true } ? UserOf(context) ?? $"someone authenticated at {address}" : $"anonymous at {address}";
    }

    /// <summary>The name, or else the id, of the user that a request is authenticated as; <see langword="null"/> where there is neither.</summary>
    /// <remarks>Tokens often hold an id alone.</remarks>
    public static string? UserOf(HttpContext context)
    {
        var user = context.User;
        return user.Identity is { IsAuthenticated: true } identity
            ? identity.Name ?? user.FindFirst(ClaimTypes.NameIdentifier)?.Value ?? user.FindFirst("sub")?.Value
            : null;
    }

    /// <param name="context">Who.</param>
    /// <param name="operation">What.</param>
    /// <param name="target">To which circuit; <see langword="null"/> where there is but one thing.</param>
    /// <param name="outcome">What came of it, in words.</param>
    public void Done(HttpContext context, string operation, string? target, string outcome)
    {
        try
        {
            var (by, to) = (LogText.Clean(NameOf(context), MaxNameLength), Clean(target));
            Trace(ResilienceDiagnostics.SpanEvents.OperationDone, operation, to, by, status: null);
            Operated(operation, to, by, _instance.Name, outcome);
        }
        catch (Exception)
        {
            // A logger that throws must not make a done operation look failed.
        }
    }

    /// <summary>As <see cref="Done"/>, for what was not done.</summary>
    public void Refused(HttpContext context, string operation, int status, string why, string? target = null)
    {
        try
        {
            var (by, to) = (LogText.Clean(NameOf(context), MaxNameLength), Clean(target));
            Trace(ResilienceDiagnostics.SpanEvents.OperationRefused, operation, to, by, status);
            if (_refusals.Admit())
            {
                FirstRefused(operation, to, by, _instance.Name, status, why);
            }
        }
        catch (Exception)
        {
            // As in Done.
        }
    }

    /// <summary>Writes down a problem, and answers with it.</summary>
    public Task RefuseAsync(HttpContext context, string operation, OperationProblem problem, string? target = null)
    {
        Refused(context, operation, problem.Status, problem.Detail, target);
        return TypedResults.Problem(problem.Detail, statusCode: problem.Status).ExecuteAsync(context);
    }

    public void Dispose() => _refusals.Dispose();

    private static string Clean(string? target) => target is null ? "(the service)" : LogText.Clean(target, MaxTargetLength);

    private static void Trace(string name, string operation, string target, string by, int? status)
    {
        if (Activity.Current is not { IsAllDataRequested: true } span)
        {
            return;
        }

        var tags = new ActivityTagsCollection
        {
            [ResilienceDiagnostics.Tags.Operation] = operation,
            [ResilienceDiagnostics.Tags.OperationTarget] = target,
            [ResilienceDiagnostics.Tags.OperationBy] = by,
        };
        if (status is { } code)
        {
            tags[ResilienceDiagnostics.Tags.ResponseStatus] = code;
        }

        span.AddEvent(new ActivityEvent(name, tags: tags));
    }

    [LoggerMessage(
        EventId = EventIds.Dashboard,
        EventName = "OperationDone",
        Level = LogLevel.Warning,
        Message = "Operation {Operation} on {Target} by {By} at instance {Instance}: {Outcome}.")]
    private partial void Operated(string operation, string target, string by, string instance, string outcome);

    [LoggerMessage(
        EventId = EventIds.Dashboard + 1,
        EventName = "OperationRefused",
        Level = LogLevel.Warning,
        Message = "Operation {Operation} on {Target} by {By} at instance {Instance} was refused with {Status}: {Reason} Further refusals are counted and summed up.")]
    private partial void FirstRefused(string operation, string target, string by, string instance, int status, string reason);

    [LoggerMessage(
        EventId = EventIds.Dashboard + 2,
        EventName = "OperationRefusedMore",
        Level = LogLevel.Warning,
        Message = "{Count} more operations were refused within {Seconds} s.")]
    private partial void MoreRefused(long count, double seconds);
}
