using System.Diagnostics;
using System.Net;
using Microsoft.Extensions.Logging;
using ResilientHost.Outbound;

namespace ResilientHost.Tests.Outbound;

/// <summary>What attempts tell. Alone in the process, as listeners of other tests would be heard.</summary>
[Collection("alone in the process")]
public sealed class AttemptTelemetryTests : IDisposable
{
    private readonly AttemptsUnderTest _under = new();

    public static TheoryData<Exception, string> Exceptions => new()
    {
        { new HttpRequestException(HttpRequestError.NameResolutionError), "name_resolution" },
        { new HttpRequestException(HttpRequestError.ConnectionError), "connection" },
        { new HttpRequestException(HttpRequestError.SecureConnectionError), "secure_connection" },
        { new HttpRequestException(HttpRequestError.HttpProtocolError), "protocol" },
        { new HttpRequestException(HttpRequestError.InvalidResponse), "protocol" },
        { new HttpRequestException(HttpRequestError.ConfigurationLimitExceeded), "protocol" },
        { new HttpRequestException(HttpRequestError.ResponseEnded), "response_ended" },
        { new HttpRequestException("copy", new HttpIOException(HttpRequestError.ResponseEnded)), "response_ended" },
        { new HttpRequestException("?"), "connection" },
        { new IOException("reset"), "connection" },
        { new TimeoutException(), "timeout" },
        { new OutboundRefusedException(new(RefusalReason.BulkheadFull, "http:pricing", null)), "bulkhead_full" },
        { new InvalidOperationException(), "exception" },
    };

    public void Dispose() => _under.Dispose();

    [Theory]
    [MemberData(nameof(Exceptions))]
    public void Failure_OfAnException_IsOneOfAClosedSet(Exception exception, string failure) => OutboundFailures.Of(exception).ShouldBe(failure);

    [Theory]
    [InlineData(HttpStatusCode.InternalServerError, "status_5xx")]
    [InlineData(HttpStatusCode.GatewayTimeout, "status_5xx")]
    [InlineData(HttpStatusCode.RequestTimeout, "status_408")]
    [InlineData(HttpStatusCode.TooManyRequests, "status_429")]
    public void Failure_OfAnAnswer_IsOneOfAClosedSet(HttpStatusCode status, string failure)
    {
        using var response = new HttpResponseMessage(status);
        OutboundFailures.Of(new AttemptResult(AttemptEnd.Failed, response, null)).ShouldBe(failure);
    }

    [Fact]
    public void Attempt_ThatSucceeds_IsCountedTimedAndASpanOfTheCaller()
    {
        using var activities = new ActivityRecorder(ResilienceDiagnostics.ActivitySourceName);
        using var caller = new Activity("caller").Start();
        var attempt = Begin(1);
        var span = Activity.Current!;
        span.ParentSpanId.ShouldBe(caller.SpanId);
        _under.Time.Advance(TimeSpan.FromSeconds(2));
        using var response = new HttpResponseMessage(HttpStatusCode.OK);
        attempt.End(new(AttemptEnd.Succeeded, response, null));

        Activity.Current.ShouldBe(caller);
        span.OperationName.ShouldBe("resilient_host.outbound.attempt");
        span.GetTagItem("resilient_host.outbound.client").ShouldBe("pricing");
        span.GetTagItem("server.address").ShouldBe("prices.example");
        span.GetTagItem("server.port").ShouldBe(443);
        span.GetTagItem("http.request.method").ShouldBe("GET");
        span.GetTagItem("http.response.status_code").ShouldBe(200);
        span.GetTagItem("http.request.resend_count").ShouldBeNull();
        span.GetTagItem("error.type").ShouldBeNull();
        span.Status.ShouldBe(ActivityStatusCode.Unset);
        activities.Finished.ShouldBe([span]);
        _under.Metrics.Sum("resilient_host.outbound.attempts", ("resilient_host.outbound.client", "pricing"), ("resilient_host.outbound.outcome", "succeeded")).ShouldBe(1);
        _under.Metrics.Sum("resilient_host.outbound.attempt.duration", ("resilient_host.outbound.outcome", "succeeded")).ShouldBe(2);
        _under.Client.Counts.Attempts.ShouldBe(1);
    }

    [Fact]
    public void Attempt_ThatFails_SaysWhy()
    {
        using var activities = new ActivityRecorder(ResilienceDiagnostics.ActivitySourceName);
        var attempt = Begin(3, isHedge: true);
        attempt.End(new(AttemptEnd.Failed, null, new HttpRequestException(HttpRequestError.ConnectionError)));
        var span = activities.Finished.ShouldHaveSingleItem();
        span.GetTagItem("http.request.resend_count").ShouldBe(2);
        span.GetTagItem("resilient_host.outbound.hedge").ShouldBe(true);
        span.GetTagItem("resilient_host.outbound.failure").ShouldBe("connection");
        span.GetTagItem("error.type").ShouldBe("System.Net.Http.HttpRequestException");
        span.Status.ShouldBe(ActivityStatusCode.Error);
        _under.Metrics.Sum("resilient_host.outbound.attempts", ("resilient_host.outbound.outcome", "failed"), ("resilient_host.outbound.failure", "connection")).ShouldBe(1);
    }

    [Fact]
    public void Attempt_Answered500_HasTheStatusAsItsError()
    {
        using var activities = new ActivityRecorder(ResilienceDiagnostics.ActivitySourceName);
        using var response = new HttpResponseMessage(HttpStatusCode.ServiceUnavailable);
        Begin(1).End(new(AttemptEnd.Failed, response, null));
        activities.Finished.ShouldHaveSingleItem().GetTagItem("error.type").ShouldBe("503");
    }

    [Fact]
    public void Attempt_ThatNobodyWantsAnyMore_IsNoError()
    {
        using var activities = new ActivityRecorder(ResilienceDiagnostics.ActivitySourceName);
        Begin(1).End(new(AttemptEnd.Cancelled, null, new OperationCanceledException()));
        activities.Finished.ShouldHaveSingleItem().Status.ShouldBe(ActivityStatusCode.Unset);
        _under.Metrics.Sum("resilient_host.outbound.attempts", ("resilient_host.outbound.outcome", "ignored")).ShouldBe(1);
    }

    [Fact]
    public void Attempts_ThatAreRefused_AreOneLineAndASum()
    {
        for (var i = 0; i < 100; i++)
        {
            Begin(1).End(new(AttemptEnd.Refused, null, new OutboundRefusedException(new(RefusalReason.CircuitOpen, "http:pricing", null))));
        }

        Lines.ShouldBe(["A call by 'pricing' was refused (circuit_open)."]);
        _under.Time.Advance(TimeSpan.FromSeconds(10));
        Lines[^1].ShouldBe("99 more calls by 'pricing' were refused within the last 10 s.");
        _under.Client.Counts.Refused.ShouldBe(100);
        _under.Metrics.Sum("resilient_host.outbound.attempts", ("resilient_host.outbound.outcome", "refused"), ("resilient_host.outbound.failure", "circuit_open")).ShouldBe(100);
    }

    [Fact]
    public void Retry_IsCountedAnEventOfTheCallersSpanAndADebugLine()
    {
        using var caller = new Activity("caller").Start();
        caller.IsAllDataRequested = true;
        _under.Telemetry.Retrying(_under.Call(), 2, new(AttemptEnd.TimedOut, null, null), TimeSpan.FromMilliseconds(150));
        var noted = caller.Events.ShouldHaveSingleItem();
        noted.Name.ShouldBe("outbound.retried");
        noted.Tags.ShouldContain(new KeyValuePair<string, object?>("http.request.resend_count", 1));
        noted.Tags.ShouldContain(new KeyValuePair<string, object?>("resilient_host.outbound.failure", "timeout"));
        _under.Metrics.Sum("resilient_host.outbound.retries", ("resilient_host.outbound.client", "pricing")).ShouldBe(1);
        _under.Logs.Entries.ShouldContain(entry => entry.Level == LogLevel.Debug && entry.Message == "Attempt 1 of a call by 'pricing' failed (timeout); it is made again in 150 ms.");
        _under.Client.Counts.Retries.ShouldBe(1);
    }

    [Fact]
    public void Hedge_IsCountedAndAnEventOfTheCallersSpan()
    {
        using var caller = new Activity("caller").Start();
        caller.IsAllDataRequested = true;
        _under.Telemetry.Hedging(_under.Call(), 2, null);
        caller.Events.ShouldHaveSingleItem().Name.ShouldBe("outbound.hedged");
        _under.Metrics.Sum("resilient_host.outbound.hedges", ("resilient_host.outbound.client", "pricing")).ShouldBe(1);
        _under.Client.Counts.Hedges.ShouldBe(1);
    }

    [Fact]
    public void ExhaustedBudget_IsCountedAndLoggedOnce()
    {
        for (var i = 0; i < 10; i++)
        {
            _under.Telemetry.BudgetExhausted(_under.Call());
        }

        _under.Metrics.Sum("resilient_host.outbound.budget_exhausted", ("resilient_host.outbound.client", "pricing")).ShouldBe(10);
        Lines.ShouldHaveSingleItem();
    }

    [Fact]
    public void Listeners_ThatThrow_CostNobodyAnything()
    {
        using var meters = new System.Diagnostics.Metrics.MeterListener
        {
            InstrumentPublished = static (instrument, listener) =>
            {
                // Not the runtime's: it counts exceptions as they are thrown.
                if (instrument.Meter.Name == ResilienceDiagnostics.MeterName)
                {
                    listener.EnableMeasurementEvents(instrument);
                }
            },
        };
        meters.SetMeasurementEventCallback<long>(static (_, _, _, _) => throw new InvalidOperationException());
        meters.SetMeasurementEventCallback<double>(static (_, _, _, _) => throw new InvalidOperationException());
        meters.Start();
        using var spans = new ActivityListener
        {
            ShouldListenTo = static source => source.Name == ResilienceDiagnostics.ActivitySourceName,
            Sample = static (ref _) => ActivitySamplingResult.AllData,
            ActivityStarted = static _ => throw new InvalidOperationException(),
            ActivityStopped = static _ => throw new InvalidOperationException(),
        };
        ActivitySource.AddActivityListener(spans);
        using var caller = new Activity("caller").Start();
        Begin(1).End(new(AttemptEnd.Failed, null, new IOException()));
        _under.Telemetry.Retrying(_under.Call(), 2, new(AttemptEnd.TimedOut, null, null), TimeSpan.Zero);
        _under.Telemetry.BodyFailed("pricing", "connection");
        Activity.Current.ShouldBe(caller);
    }

    [Fact]
    public void Attempt_ThatNobodyListensTo_AllocatesNothing()
    {
        _under.Metrics.Dispose();
        Activity.Current = null;
        var call = _under.Call();
        using var response = new HttpResponseMessage(HttpStatusCode.OK);
        AttemptResult result = new(AttemptEnd.Succeeded, response, null);
        AllocatedBytes.Of(() =>
        {
            for (var i = 0; i < 1000; i++)
            {
                _under.Telemetry.Begin(call, call.Request, 1, isHedge: false).End(result);
            }
        }).ShouldBe(0);
    }

    private string[] Lines => [.. _under.Logs.Entries.Where(entry => entry.Level == LogLevel.Warning).Select(entry => entry.Message)];

    private AttemptTelemetry Begin(int number, bool isHedge = false)
    {
        var call = _under.Call();
        return _under.Telemetry.Begin(call, call.Request, number, isHedge);
    }
}
