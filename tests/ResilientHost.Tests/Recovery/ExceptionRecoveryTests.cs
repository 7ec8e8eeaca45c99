using System.Diagnostics;
using System.Text;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ResilientHost.Refusals;

namespace ResilientHost.Tests.Recovery;

public partial class ExceptionRecoveryTests
{
    private const string Canary = "canary-7f3a-secret";

    [Fact]
    public async Task RecoverAsync_UnhandledException_Answers500AndLeaksNothing()
    {
        using var host = new RecoveryHost();
        var request = host.Request();
        request.Context.Request.Path = $"/orders/{Canary}";
        request.Context.Request.QueryString = new QueryString($"?token={Canary}");
        request.Headers.ETag = Canary;
        request.Headers["X-Endpoint"] = Canary;
        request.ReasonPhrase = Canary;

        (await host.RecoverAsync(request, Thrown(() => new InvalidOperationException(Canary, new FileNotFoundException(Canary)) { Data = { [Canary] = Canary } })))
            .ShouldBe(CallOutcome.Failed);

        request.StatusCode.ShouldBe(500);
        request.Everything.ShouldNotContain(Canary);
        request.Everything.ShouldNotContain("InvalidOperation");
        request.Everything.ShouldNotContain(nameof(ExceptionRecoveryTests));
        request.Json.EnumerateObject().Select(member => member.Name).ShouldBe(["type", "title", "status", "code", "traceId", "timestamp"]);
        request.Json.GetProperty("code").GetString().ShouldBe("unhandled_exception");
        request.Json.GetProperty("type").GetString().ShouldBe("urn:resilient-host:problem:unhandled-exception");
        request.Headers.CacheControl.ToString().ShouldBe("no-store");
        request.Headers.RetryAfter.Count.ShouldBe(0);
        request.Headers["X-Request-ID"].ToString().ShouldBe(request.Context.TraceIdentifier);
    }

    [Fact]
    public async Task RecoverAsync_UnhandledException_LogsOnceWithContextButWithoutPathAndQuery()
    {
        using var host = new RecoveryHost();
        var request = host.Request();
        request.Context.Request.Path = "/orders/42";
        request.Context.Request.QueryString = new QueryString($"?token={Canary}");
        request.Context.Request.Headers["X-Request-ID"] = "req-9";
        var scope = RecoveryHost.Scope();
        scope.LayerStates = static state => $"circuit {state} Closed";
        scope.LayerStatesArgument = "checkout";
        var exception = Thrown(() => new InvalidOperationException("boom"));

        await host.RecoverAsync(request, exception, scope);

        var entry = host.Log.Entries.ShouldHaveSingleItem();
        entry.Level.ShouldBe(LogLevel.Error);
        entry.Id.Id.ShouldBe(1500);
        entry.Exception.ShouldBeSameAs(exception);
        entry.Message.ShouldContain("GET /orders/{id}");
        entry.Message.ShouldContain(request.Json.GetProperty("traceId").GetString()!);
        entry.Message.ShouldContain("req-9");
        entry.Message.ShouldContain("circuit checkout Closed");
        entry.ToString().ShouldNotContain(Canary);
        entry.ToString().ShouldNotContain("/orders/42");
        host.Measurements.ShouldBe(["resilient_host.recovery.exceptions 1 exception.type=System.InvalidOperationException resilient_host.exception.origin=endpoint"]);
    }

    [Theory]
    [InlineData(false, "-")]
    [InlineData(true, "ann\\r\\nforged")]
    public async Task RecoverAsync_User_IsLoggedOnlyWhenAllowedAndEscaped(bool isAllowed, string expected)
    {
        using var host = new RecoveryHost(options => options.LogUserId = isAllowed);
        var request = host.Request();
        request.Context.User = new(new System.Security.Claims.ClaimsIdentity([new(System.Security.Claims.ClaimTypes.Name, "ann\r\nforged")], "test"));

        await host.RecoverAsync(request, Thrown(() => new InvalidOperationException("boom")));

        host.Log.Entries.ShouldHaveSingleItem().Message.ShouldContain($"user {expected},");
    }

    [Fact]
    public async Task RecoverAsync_ResponseStarted_AbortsLogsOnceAndAppendsNothing()
    {
        using var host = new RecoveryHost();
        var request = host.Request();
        request.HasStarted = true;
        request.StatusCode = 200;

        (await host.RecoverAsync(request, Thrown(() => new InvalidOperationException(Canary)))).ShouldBe(CallOutcome.Failed);

        request.IsAborted.ShouldBeTrue();
        request.BodyText.ShouldBeEmpty();
        request.StatusCode.ShouldBe(200);
        host.Log.Entries.ShouldHaveSingleItem().Id.Id.ShouldBe(1501);
        host.Measurements.Count.ShouldBe(1);
    }

    [Fact]
    public async Task RecoverAsync_BytesThatCannotBeTakenBack_AbortsInsteadOfAppendingAProblem()
    {
        using var host = new RecoveryHost();
        var request = host.Request();
        request.HoldBytes();

        (await host.RecoverAsync(request, Thrown(() => new InvalidOperationException("boom")))).ShouldBe(CallOutcome.Failed);

        request.IsAborted.ShouldBeTrue();
        request.Context.Response.BodyWriter.UnflushedBytes.ShouldBe(4);
        host.Log.Entries.ShouldHaveSingleItem().Id.Id.ShouldBe(1501);
    }

    [Fact]
    public async Task RecoverAsync_HalfABodyInABuffer_IsReplacedByTheProblem()
    {
        using var host = new RecoveryHost();
        var request = host.Request();
        await request.Response.Body.WriteAsync(Encoding.UTF8.GetBytes("{\"half\":"));
        "more"u8.CopyTo(request.Response.BodyWriter.GetSpan(4));
        request.Response.BodyWriter.Advance(4);

        await host.RecoverAsync(request, Thrown(() => new InvalidOperationException("boom")));

        request.IsAborted.ShouldBeFalse();
        request.Json.GetProperty("status").GetInt32().ShouldBe(500);
    }

    [Fact]
    public async Task RecoverAsync_BadRequest_KeepsItsStatusAndIsASuccess()
    {
        using var host = new RecoveryHost();
        var request = host.Request();

        (await host.RecoverAsync(request, Thrown(() => new BadHttpRequestException(Canary, 413)))).ShouldBe(CallOutcome.Succeeded);

        request.StatusCode.ShouldBe(413);
        request.Json.GetProperty("status").GetInt32().ShouldBe(413);
        request.Json.GetProperty("code").GetString().ShouldBe("unhandled_exception");
        request.Everything.ShouldNotContain(Canary);
        host.Log.Loud.ShouldBeEmpty();
    }

    [Fact]
    public async Task RecoverAsync_MappedBelow500_AsksNoHandler()
    {
        var handler = new RecordingHandler();
        using var host = new RecoveryHost(options => options.MapException<KeyNotFoundException>(404, "not_here"), services: services => services.AddSingleton<IExceptionHandler>(handler));
        var request = host.Request();

        (await host.RecoverAsync(request, Thrown(() => new KeyNotFoundException()))).ShouldBe(CallOutcome.Succeeded);

        request.Json.GetProperty("code").GetString().ShouldBe("not_here");
        request.Json.GetProperty("type").GetString().ShouldBe("urn:resilient-host:problem:not-here");
        handler.Asked.ShouldBe(0);
    }

    [Fact]
    public async Task RecoverAsync_Timeout_Is504AndAFailure()
    {
        using var host = new RecoveryHost();
        var request = host.Request();

        (await host.RecoverAsync(request, Thrown(() => new TimeoutException(Canary)))).ShouldBe(CallOutcome.Failed);

        request.StatusCode.ShouldBe(504);
        request.Json.GetProperty("status").GetInt32().ShouldBe(504);
    }

    [Fact]
    public async Task RecoverAsync_Head_HasNoBody()
    {
        using var host = new RecoveryHost();
        var request = host.Request("HEAD");

        await host.RecoverAsync(request, Thrown(() => new InvalidOperationException()));

        request.StatusCode.ShouldBe(500);
        request.BodyText.ShouldBeEmpty();
        request.Headers.ContentLength.ShouldNotBeNull();
    }

    [Fact]
    public async Task RecoverAsync_TextClient_LeaksNothingEither()
    {
        using var host = new RecoveryHost();
        var request = host.Request(accept: "text/html");

        await host.RecoverAsync(request, Thrown(() => new InvalidOperationException(Canary)));

        request.Headers.ContentType.ToString().ShouldStartWith("text/plain");
        request.Everything.ShouldNotContain(Canary);
    }

    [Theory]
    [InlineData(true, null, true)]
    [InlineData(true, true, true)]
    [InlineData(true, false, false)]
    [InlineData(false, null, false)]
    [InlineData(false, true, false)]
    public async Task RecoverAsync_Details_AreShownInDevelopmentOnly(bool isDevelopment, bool? include, bool areShown)
    {
        using var host = new RecoveryHost(options => options.IncludeExceptionDetails = include, isDevelopment);
        var request = host.Request();

        await host.RecoverAsync(request, Thrown(() => new InvalidOperationException($"{Canary} \"quoted\" \n")));

        request.Json.TryGetProperty("exception", out var details).ShouldBe(areShown);
        request.Everything.Contains(Canary, StringComparison.Ordinal).ShouldBe(areShown);
        request.Headers.ContentLength.ShouldBe(Encoding.UTF8.GetByteCount(request.BodyText));
        if (areShown)
        {
            details.GetProperty("type").GetString().ShouldBe("System.InvalidOperationException");
            details.GetProperty("message").GetString()!.ShouldContain(Canary);
            details.GetProperty("stack").GetString()!.ShouldContain(nameof(Thrown));
        }
    }

    [Fact]
    public async Task RecoverAsync_HugeMessageInDevelopment_IsCapped()
    {
        using var host = new RecoveryHost(isDevelopment: true);
        var request = host.Request();

        await host.RecoverAsync(request, Thrown(() => new InvalidOperationException(new string('x', 10_000_000))));

        request.BodyText.Length.ShouldBeLessThan(64 * 1024);
    }

    [Fact]
    public async Task RecoverAsync_SameExceptionAtTheOuterHop_IsNotReportedAgain()
    {
        using var host = new RecoveryHost();
        var request = host.Request();
        var exception = Thrown(() => new InvalidOperationException("boom"));

        await host.RecoverAsync(request, exception);
        host.Time.Advance(TimeSpan.FromMinutes(1));
        await host.RecoverAsync(request, exception);

        host.Log.Entries.Count.ShouldBe(1);
        host.Measurements.Count.ShouldBe(1);
    }

    [Fact]
    public async Task RecoverAsync_OneExceptionObjectInManyRequests_CountsEach()
    {
        using var host = new RecoveryHost();
        var exception = Thrown(() => new InvalidOperationException("cached"));

        await host.RecoverAsync(host.Request(), exception);
        await host.RecoverAsync(host.Request(), exception);
        host.Time.Advance(TimeSpan.FromSeconds(10));

        host.Measurements.Count.ShouldBe(2);
        host.Log.Entries.Select(entry => entry.Id.Id).ShouldBe([1500, 1502]);
    }

    [Fact]
    public async Task RecoverAsync_LoggerThatThrows_StillAnswers()
    {
        using var host = new RecoveryHost();
        host.Log.OnWrite = () => throw new InvalidOperationException("logger");
        var request = host.Request();

        (await host.RecoverAsync(request, Thrown(() => new InvalidOperationException("boom")))).ShouldBe(CallOutcome.Failed);

        request.Json.GetProperty("status").GetInt32().ShouldBe(500);
        request.IsAborted.ShouldBeFalse();
    }

    [Fact]
    public async Task RecoverAsync_LayerDescriptionThatThrows_StillLogsAndAnswers()
    {
        using var host = new RecoveryHost();
        var scope = RecoveryHost.Scope();
        scope.LayerStates = static _ => throw new InvalidOperationException("describer");
        var request = host.Request();

        await host.RecoverAsync(request, Thrown(() => new InvalidOperationException("boom")), scope);

        request.Json.GetProperty("status").GetInt32().ShouldBe(500);
        host.Log.Entries.ShouldHaveSingleItem().Message.ShouldContain("(unreadable)");
    }

    [Fact]
    public async Task RecoverAsync_BodyThatCannotBeWritten_AbortsAndDoesNotThrow()
    {
        using var host = new RecoveryHost();
        var request = host.Request();
        request.Context.Features.Set<IHttpResponseBodyFeature>(new StreamResponseBodyFeature(new BrokenStream()));

        (await host.RecoverAsync(request, Thrown(() => new InvalidOperationException("boom")))).ShouldBe(CallOutcome.Failed);

        request.IsAborted.ShouldBeTrue();
        host.Log.Loud.Select(entry => entry.Id.Id).ShouldBe([1500, 1507]);
    }

    [Fact]
    public async Task RecoverAsync_Span_GetsErrorStatusAndTheTypeButNoMessage()
    {
        using var host = new RecoveryHost();
        using var activity = new Activity("request").Start();

        await host.RecoverAsync(host.Request(), Thrown(() => new InvalidOperationException(Canary)));

        activity.Status.ShouldBe(ActivityStatusCode.Error);
        activity.StatusDescription.ShouldBeNull();
        activity.GetTagItem("error.type").ShouldBe("System.InvalidOperationException");
        var recovered = activity.Events.ShouldHaveSingleItem();
        recovered.Name.ShouldBe("recovery.recovered");
        recovered.Tags.ShouldBe([new("exception.type", "System.InvalidOperationException")]);
    }

    [Fact]
    public async Task RecoverAsync_SpanOfABadRequest_IsNoError()
    {
        using var host = new RecoveryHost();
        using var activity = new Activity("request").Start();

        await host.RecoverAsync(host.Request(), Thrown(() => new BadHttpRequestException("x")));

        activity.Status.ShouldBe(ActivityStatusCode.Unset);
        activity.GetTagItem("error.type").ShouldBeNull();
    }

    [Fact]
    public async Task RecoverAsync_OuterHeaders_StayAndEndpointHeadersGo()
    {
        using var host = new RecoveryHost();
        var request = host.Request();
        var scope = RecoveryHost.Scope();
        request.Headers.AccessControlAllowOrigin = "https://shop";
        scope.Baseline.Capture(request.Response);
        request.Headers["X-Endpoint"] = "1";
        request.Headers.CacheControl = "public, max-age=600";

        await host.RecoverAsync(request, Thrown(() => new InvalidOperationException()), scope);

        request.Headers.AccessControlAllowOrigin.ToString().ShouldBe("https://shop");
        request.Headers.ContainsKey("X-Endpoint").ShouldBeFalse();
        request.Headers.CacheControl.ToString().ShouldBe("no-store");
    }

    private static Exception Thrown(Func<Exception> create)
    {
        try
        {
            throw create();
        }
        catch (Exception exception)
        {
            return exception;
        }
    }

    private sealed class BrokenStream : Stream
    {
        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override void Flush() => throw new InvalidDataException("broken");

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new InvalidDataException("broken");
    }
}
