using System.Diagnostics;
using System.Net;
using ResilientHost.Testing;

namespace ResilientHost.IntegrationTests.Outbound;

/// <summary>What a trace shows of a call that is made again: attempts as children of the caller's span, and each one's own <c>traceparent</c> on the wire.</summary>
public sealed class AttemptTraceTests
{
    private static readonly ActivitySource Caller = new("ResilientHost.IntegrationTests.AttemptTraceTests");

    [Fact]
    public async Task Call_ThatIsMadeAgain_HasASpanForEachAttemptAndItsTraceparent()
    {
        await using var upstream = await ScriptedServer.StartAsync();
        upstream.Default.Replies(ScriptedReply.Status(503), ScriptedReply.Status(200));
        await using var service = await TestService.StartAsync(new TestServiceSetup
        {
            Builder = builder => builder.Services.AddHttpClient("pricing").AddResilienceLayers(configure: client => client.Retry.Delay = TimeSpan.Zero),
        });
        using var callers = new ActivityRecorder(Caller.Name);
        using var ours = new ActivityRecorder(ResilienceDiagnostics.ActivitySourceName);
        using var transports = new ActivityRecorder("System.Net.Http");

        ActivityTraceId trace;
        ActivitySpanId caller;
        using (var activity = Caller.StartActivity("call"))
        {
            (trace, caller) = (activity!.TraceId, activity.SpanId);
            using var response = await service.Services.GetRequiredService<IHttpClientFactory>().CreateClient("pricing").GetAsync(upstream.Address);
            response.StatusCode.ShouldBe(HttpStatusCode.OK);
            activity.Events.Select(e => e.Name).ShouldBe([ResilienceDiagnostics.SpanEvents.OutboundRetried]);
        }

        var attempts = ours.Finished.Where(span => span.TraceId == trace).OrderBy(span => span.StartTimeUtc).ToList();
        attempts.Select(span => (span.OperationName, span.ParentSpanId, span.GetTagItem(ResilienceDiagnostics.Tags.ResendCount), span.Status)).ShouldBe(
        [
            (ResilienceDiagnostics.Spans.OutboundAttempt, caller, null, ActivityStatusCode.Error),
            (ResilienceDiagnostics.Spans.OutboundAttempt, caller, 1, ActivityStatusCode.Unset),
        ]);
        var sent = transports.Finished.Where(span => span.TraceId == trace && attempts.Any(attempt => attempt.SpanId == span.ParentSpanId)).OrderBy(span => span.StartTimeUtc).ToList();
        upstream.Requests.Select(request => request.Headers["traceparent"].ToString()).ShouldBe([.. sent.Select(span => span.Id!)]);
        sent.Select(span => span.ParentSpanId).ShouldBe(attempts.Select(attempt => attempt.SpanId));
        upstream.Requests.Select(request => request.Headers.TryGetValue("Resilience-Attempt", out var number) ? number.ToString() : null).ShouldBe([null, "2"]);
    }
}
