using Microsoft.AspNetCore.Http;
using ResilientHost.Hosting;

namespace ResilientHost.Pipeline;

/// <summary>Tells an observer how requests ended. Without one it costs a request a null check. Thread-safe.</summary>
internal sealed class RequestCompletions(MonotonicClock clock, IRequestObserver? observer = null)
{
    /// <summary>Whether someone wants to be told.</summary>
    public bool IsEnabled => observer is { IsEnabled: true };

    /// <summary>Runs the pipeline for a request and tells of its end.</summary>
    public Task Watch(HttpContext context, RequestDelegate pipeline)
    {
        var started = clock.Timestamp();
        context.Features.Set(new Notes());
        Task task;
        try
        {
            task = pipeline(context);
        }
        catch (Exception)
        {
            Tell(context, started, threw: true);
            throw;
        }

        if (!task.IsCompletedSuccessfully)
        {
            return AwaitPipeline(context, task, started);
        }

        Tell(context, started, threw: false);
        return task;
    }

    /// <summary>Notes what became of a request, where that is known. The last word counts: the outermost catch has it.</summary>
    public void Note(HttpContext context, string disposition)
    {
        // A request may have begun before somebody wanted to be told.
        if (observer is not null && context.Features.Find<Notes>() is { } notes)
        {
            notes.Disposition = disposition;
        }
    }

    private async Task AwaitPipeline(HttpContext context, Task task, long started)
    {
        var threw = true;
        try
        {
            await task;
            threw = false;
        }
        finally
        {
            Tell(context, started, threw);
        }
    }

    private void Tell(HttpContext context, long started, bool threw)
    {
        try
        {
            var status = threw && !context.Response.HasStarted ? StatusCodes.Status500InternalServerError : context.Response.StatusCode;
            observer!.Completed(context, new(
                status,
                DispositionOf(context.Features.Get<Notes>()?.Disposition, status, threw),
                clock.Elapsed(started, clock.Timestamp()),
                context.GetEndpoint() is { } endpoint && EndpointPlans.IsOurs(endpoint)));
        }
        catch (Exception)
        {
            // A logger's failure must not cost the caller the answer.
        }
    }

    // What went through the layers has been noted there; the rest has nothing but its status.
    private static string DispositionOf(string? noted, int status, bool threw) =>
        status == StatusCodes.Status499ClientClosedRequest ? RequestDisposition.Aborted
        : threw ? RequestDisposition.Failed
        : noted ?? (status >= StatusCodes.Status500InternalServerError ? RequestDisposition.Failed : RequestDisposition.Succeeded);

    private sealed class Notes
    {
        public string? Disposition { get; set; }
    }
}
