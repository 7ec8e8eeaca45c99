using System.Diagnostics;
using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using ResilientHost.Refusals;
using ResilientHost.Tests.Recovery;

namespace ResilientHost.Tests.Refusals;

public class RefusalWriterTests
{
    private static readonly Refusal Open = new(RefusalReason.CircuitOpen, "checkout", TimeSpan.FromSeconds(4.2));

    [Fact]
    public async Task WriteAsync_OpenCircuit_WritesExactlyTheProblemOfTheContract()
    {
        using var host = new RecoveryHost();
        var request = host.Request();

        await host.Refusals.WriteAsync(request.Context, Open, new ResponseBaseline());

        request.StatusCode.ShouldBe(503);
        request.Headers.ContentType.ToString().ShouldBe("application/problem+json");
        request.Headers.CacheControl.ToString().ShouldBe("no-store");
        request.Headers.RetryAfter.ToString().ShouldBe("5");
        request.Headers.ContentLength.ShouldBe(request.BodyText.Length);
        var json = request.Json;
        json.EnumerateObject().Select(member => member.Name).ShouldBe(["type", "title", "status", "code", "traceId", "timestamp", "retryAfterSeconds"]);
        json.GetProperty("type").GetString().ShouldBe("urn:resilient-host:problem:circuit-open");
        json.GetProperty("status").GetInt32().ShouldBe(503);
        json.GetProperty("code").GetString().ShouldBe("circuit_open");
        json.GetProperty("retryAfterSeconds").GetInt32().ShouldBe(5);
        json.GetProperty("traceId").GetString()!.ShouldMatch("^[0-9a-f]{32}$");
        json.GetProperty("timestamp").GetString().ShouldBe("2030-01-01T00:00:00.0000000Z");
        DateTimeOffset.Parse(json.GetProperty("timestamp").GetString()!, CultureInfo.InvariantCulture).ShouldBe(host.Time.GetUtcNow());
    }

    [Theory]
    [MemberData(nameof(Reasons))]
    public async Task WriteAsync_EachReason_IsValidJsonOfItsOwnLength(RefusalReason reason)
    {
        using var host = new RecoveryHost();
        foreach (var seconds in new[] { 1, 9, 10, 99, 100, 299, 300, 12345, 86_400, int.MaxValue })
        {
            var request = host.Request();

            await host.Refusals.WriteAsync(request.Context, new Refusal(reason, "x", TimeSpan.FromSeconds(seconds)), new ResponseBaseline());

            request.Json.GetProperty("code").GetString().ShouldBe(RefusalTable.CodeOf(reason));
            request.Headers.ContentLength.ShouldBe(request.BodyText.Length);
            request.Headers.RetryAfter.Count.ShouldBe(request.Json.TryGetProperty("retryAfterSeconds", out _) ? 1 : 0);
        }
    }

    public static TheoryData<RefusalReason> Reasons() => [.. Enum.GetValues<RefusalReason>()];

    [Fact]
    public async Task WriteAsync_Head_HasTheHeadersOfGetAndNoBody()
    {
        using var host = new RecoveryHost();
        var get = host.Request();
        var head = host.Request("HEAD");

        await host.Refusals.WriteAsync(get.Context, Open, new ResponseBaseline());
        await host.Refusals.WriteAsync(head.Context, Open, new ResponseBaseline());

        head.BodyText.ShouldBeEmpty();
        head.Headers.ContentLength.ShouldBe(get.Headers.ContentLength);
        head.Headers.ContentType.ShouldBe(get.Headers.ContentType);
        head.Headers.RetryAfter.ShouldBe(get.Headers.RetryAfter);
        head.StatusCode.ShouldBe(503);
    }

    [Fact]
    public async Task WriteAsync_ClientThatTakesNoJson_GetsShortText()
    {
        using var host = new RecoveryHost();
        var request = host.Request(accept: "text/plain");

        await host.Refusals.WriteAsync(request.Context, Open, new ResponseBaseline());

        request.Headers.ContentType.ToString().ShouldStartWith("text/plain");
        request.BodyText.ShouldContain("circuit_open");
        request.BodyText.Length.ShouldBeLessThan(200);
        request.Headers.ContentLength.ShouldBe(request.BodyText.Length);
        request.Headers.RetryAfter.ToString().ShouldBe("5");
        request.Headers.CacheControl.ToString().ShouldBe("no-store");
    }

    [Fact]
    public async Task WriteAsync_Activity_GivesTheTraceId()
    {
        using var host = new RecoveryHost();
        var request = host.Request();
        using var activity = new Activity("request").Start();

        await host.Refusals.WriteAsync(request.Context, Open, new ResponseBaseline());

        request.Json.GetProperty("traceId").GetString().ShouldBe(activity.TraceId.ToHexString());
    }

    [Fact]
    public async Task WriteAsync_HierarchicalActivityWithoutTraceId_GeneratesOneThatIsNotZero()
    {
        using var host = new RecoveryHost();
        var request = host.Request();
        using var activity = new Activity("request").SetIdFormat(ActivityIdFormat.Hierarchical).Start();

        await host.Refusals.WriteAsync(request.Context, Open, new ResponseBaseline());

        var traceId = request.Json.GetProperty("traceId").GetString();
        traceId.ShouldNotBe(new string('0', 32));
        traceId.ShouldBe(RequestIdentity.TraceIdOf(request.Context));
    }

    [Theory]
    [InlineData("abc-123", true)]
    [InlineData("a b", false)]
    [InlineData("a\u007f", false)]
    [InlineData("é", false)]
    [InlineData("", false)]
    public async Task WriteAsync_RequestId_IsEchoedOnlyWhenItIsVisibleAscii(string received, bool isEchoed)
    {
        using var host = new RecoveryHost();
        var request = host.Request();
        request.Context.TraceIdentifier = "own-id";
        request.Context.Request.Headers["X-Request-ID"] = received;

        await host.Refusals.WriteAsync(request.Context, Open, new ResponseBaseline());

        request.Headers["X-Request-ID"].ToString().ShouldBe(isEchoed ? received : "own-id");
    }

    [Fact]
    public async Task WriteAsync_RequestIdTooLongOrTwice_IsReplaced()
    {
        using var host = new RecoveryHost();
        var edge = host.Request();
        edge.Context.Request.Headers["X-Request-ID"] = new string('x', 128);
        var tooLong = host.Request();
        tooLong.Context.Request.Headers["X-Request-ID"] = new string('x', 129);
        var twice = host.Request();
        twice.Context.Request.Headers["X-Request-ID"] = new(["a", "b"]);
        twice.Context.TraceIdentifier = "bad\r\nidentifier";

        foreach (var request in new[] { edge, tooLong, twice })
        {
            await host.Refusals.WriteAsync(request.Context, Open, new ResponseBaseline());
        }

        edge.Headers["X-Request-ID"].ToString().ShouldBe(new string('x', 128));
        tooLong.Headers["X-Request-ID"].ToString().ShouldBe(tooLong.Context.TraceIdentifier);
        twice.Headers["X-Request-ID"].ToString().ShouldBe(twice.Json.GetProperty("traceId").GetString());
    }

    [Theory]
    [InlineData(null)]
    [InlineData("mine")]
    public async Task Echo_ResponseStarts_SetsWhatWasReceivedOnly(string? id)
    {
        var request = new FakeRequest();
        request.Context.Request.Headers["X-Request-ID"] = id;

        RequestIdentity.Echo(request.Context);
        request.Headers.ShouldBeEmpty();

        request.Headers["X-Request-ID"] = id is null ? default : "that of an answer from a cache";
        await request.StartAsync();
        request.Headers["X-Request-ID"].ToString().ShouldBe(id ?? "");
    }

    [Fact]
    public async Task WriteAsync_ResponseStarted_AbortsAndAppendsNothing()
    {
        using var host = new RecoveryHost();
        var request = host.Request();
        request.HasStarted = true;

        await host.Refusals.WriteAsync(request.Context, Open, new ResponseBaseline());

        request.IsAborted.ShouldBeTrue();
        request.BodyText.ShouldBeEmpty();
    }

    [Fact]
    public async Task WriteAsync_ListenedSpan_IsTaggedWithReasonAndSource()
    {
        using var host = new RecoveryHost();
        using var source = new ActivitySource("refusal-writer-test");
        using var listener = new ActivityListener { ShouldListenTo = candidate => ReferenceEquals(candidate, source), Sample = (ref _) => ActivitySamplingResult.AllDataAndRecorded };
        ActivitySource.AddActivityListener(listener);
        using var activity = source.StartActivity("request")!;

        await host.Refusals.WriteAsync(host.Request().Context, Open, new ResponseBaseline());
        await host.Refusals.WriteAsync(host.Request().Context, new Refusal(RefusalReason.QueueTimeout, "db", null), new ResponseBaseline());

        activity.Events.Select(e => e.Name).ShouldBe([ResilienceDiagnostics.SpanEvents.CircuitBreakerRefused, ResilienceDiagnostics.SpanEvents.BulkheadRefused]);
        activity.Events.First().Tags.ShouldContain(new KeyValuePair<string, object?>(ResilienceDiagnostics.Tags.CircuitBreakerName, "checkout"));
        activity.GetTagItem(ResilienceDiagnostics.Tags.RefusalReason).ShouldBe("queue_timeout");
    }

    [Fact]
    public void WriteAsync_Refusal_CompletesSynchronouslyWithinItsAllocationBudget()
    {
        using var host = new RecoveryHost();
        var refusals = host.Refusals;
        var request = host.Request();
        request.Context.Features.Set<IHttpResponseBodyFeature>(new StreamResponseBodyFeature(Stream.Null));
        var baseline = new ResponseBaseline();
        using var activity = new Activity("request").Start();
        _ = request.Context.TraceIdentifier;
        for (var i = 0; i < 200; i++)
        {
            refusals.WriteAsync(request.Context, Open, baseline).IsCompletedSuccessfully.ShouldBeTrue();
        }

        const int Refusals = 1000;
        var least = AllocatedBytes.LeastOf(() =>
        {
            for (var i = 0; i < Refusals; i++)
            {
                _ = refusals.WriteAsync(request.Context, Open, baseline);
            }
        });

        // HeaderDictionary boxes a length as a string of its own (40 B); Kestrel's does not. What is left is the bar of the contract.
        (least / Refusals).ShouldBeLessThanOrEqualTo(160);
    }
}
