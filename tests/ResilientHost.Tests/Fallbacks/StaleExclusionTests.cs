using System.Security.Claims;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using ResilientHost.Refusals;

namespace ResilientHost.Tests.Fallbacks;

/// <summary>What is never kept, and to whom nothing is ever given.</summary>
public sealed class StaleExclusionTests : IDisposable
{
    private readonly StaleEndpoint _endpoint = new();

    public static TheoryData<string, Action<HttpContext>> PersonalRequests => new()
    {
        { "cookie", static context => context.Request.Headers.Cookie = "a=1" },
        { "empty cookie", static context => context.Request.Headers.Cookie = "" },
        { "authorization", static context => context.Request.Headers.Authorization = "Bearer x" },
        { "user", static context => context.User = User("test") },
        { "second identity", static context => context.User = new ClaimsPrincipal([new ClaimsIdentity(), new ClaimsIdentity("test")]) },
        { "body", static context => context.Request.ContentLength = 1 },
        { "chunked body", static context => context.Request.Headers.TransferEncoding = "chunked" },
        { "detected body", static context => context.Features.Set<IHttpRequestBodyDetectionFeature>(new WithBody()) },
    };

    public static TheoryData<string, Action<HttpResponse>> PersonalResponses => new()
    {
        { "Set-Cookie", static response => response.Headers.SetCookie = "a=1" },
        { "no-store", static response => response.Headers.CacheControl = "no-store" },
        { "NO-STORE among others", static response => response.Headers.CacheControl = "max-age=60 , NO-STORE" },
        { "no-store in a second line", static response => response.Headers.CacheControl = new(["public", "no-store"]) },
        { "private", static response => response.Headers.CacheControl = "private, max-age=60" },
        { "private fields", static response => response.Headers.CacheControl = "private=\"x-user, x-other\"" },
        { "Vary: *", static response => response.Headers.Vary = "Accept, *" },
    };

    public static TheoryData<string, Action<HttpResponse>> Parts => new()
    {
        { "Content-Encoding", static response => response.Headers.ContentEncoding = "gzip" },
        { "Content-Range", static response => response.Headers.ContentRange = "bytes 0-1/10" },
        { "events", static response => response.ContentType = "text/event-stream; charset=utf-8" },
        { "short of its length", static response => response.ContentLength = 5 },
        { "over its length", static response => response.ContentLength = 3 },
        { "206", static response => response.StatusCode = 206 },
        { "304", static response => response.StatusCode = 304 },
        { "201", static response => response.StatusCode = 201 },
        { "404", static response => response.StatusCode = 404 },
        { "500", static response => response.StatusCode = 500 },
        { "seventeen names in Vary", static response => response.Headers.Vary = string.Join(',', Enumerable.Range(0, 17)) },
    };

    public void Dispose() => _endpoint.Dispose();

    [Theory]
    [MemberData(nameof(PersonalRequests))]
    public void Request_OfSomeone_IsNotRecorded(string _, Action<HttpContext> make)
    {
        var context = StaleEndpoint.Request();
        make(context);

        _endpoint.Answer(context).ShouldBeFalse();
        _endpoint.Memory.Count.ShouldBe(0);
    }

    [Theory]
    [MemberData(nameof(PersonalRequests))]
    public async Task Request_OfSomeone_IsGivenNothing(string _, Action<HttpContext> make)
    {
        _endpoint.Answer(StaleEndpoint.Request()).ShouldBeTrue();
        var context = StaleEndpoint.Request();
        make(context);

        (await _endpoint.Stale(context)).ShouldBeNull();
    }

    [Theory]
    [MemberData(nameof(PersonalResponses))]
    [MemberData(nameof(Parts))]
    public void Response_NotForOthers_IsNotKept(string _, Action<HttpResponse> make)
    {
        _endpoint.Answer(StaleEndpoint.Request(), with: make).ShouldBeTrue();

        _endpoint.Memory.Count.ShouldBe(0);
    }

    [Theory]
    [MemberData(nameof(PersonalResponses))]
    public void Response_ThatBecomesPersonalWhileItStarts_IsNotKept(string _, Action<HttpResponse> make)
    {
        _endpoint.Answer(StaleEndpoint.Request(), atStart: make).ShouldBeTrue();

        _endpoint.Memory.Count.ShouldBe(0);
    }

    [Theory]
    [InlineData("public, max-age=60")]
    [InlineData("no-cache")]
    [InlineData("x-private-ish, not-no-store")]
    public async Task Response_WithOtherCacheControl_IsKept(string value)
    {
        _endpoint.Answer(StaleEndpoint.Request(), with: response => response.Headers.CacheControl = value);

        (await _endpoint.Stale(StaleEndpoint.Request())).ShouldBe("good");
    }

    [Theory]
    [InlineData("POST")]
    [InlineData("PUT")]
    [InlineData("DELETE")]
    [InlineData("OPTIONS")]
    public async Task Request_OfOtherMethod_IsNeitherRecordedNorServed(string method)
    {
        _endpoint.Answer(StaleEndpoint.Request(method: method)).ShouldBeFalse();
        _endpoint.Answer(StaleEndpoint.Request()).ShouldBeTrue();

        (await _endpoint.Stale(StaleEndpoint.Request(method: method))).ShouldBeNull();
    }

    [Fact]
    public async Task Head_IsNotRecordedButServed()
    {
        _endpoint.Answer(StaleEndpoint.Request(method: "HEAD")).ShouldBeFalse();
        _endpoint.Answer(StaleEndpoint.Request());

        (await _endpoint.Stale(StaleEndpoint.Request(method: "HEAD"))).ShouldBe("good");
    }

    [Fact]
    public async Task Endpoint_WithAuthorization_IsNeitherRecordedNorServed()
    {
        using var secured = new StaleEndpoint(store: _endpoint.Memory, requiresAuthorization: true);
        _endpoint.Answer(StaleEndpoint.Request());

        secured.Answer(StaleEndpoint.Request()).ShouldBeFalse();
        (await secured.Stale(StaleEndpoint.Request())).ShouldBeNull();
    }

    [Fact]
    public void User_WhoLogsInWhileTheEndpointRuns_IsNotRecorded()
    {
        _endpoint.Answer(StaleEndpoint.Request(), with: static response => response.HttpContext.User = User("late")).ShouldBeTrue();

        _endpoint.Memory.Count.ShouldBe(0);
    }

    [Fact]
    public async Task Users_WithoutIdentity_AreAnyone()
    {
        _endpoint.Answer(StaleEndpoint.Request(with: static request => request.HttpContext.User = new ClaimsPrincipal(new ClaimsIdentity()))).ShouldBeTrue();

        (await _endpoint.Stale(StaleEndpoint.Request())).ShouldBe("good");
    }

    [Fact]
    public void Response_CutOff_IsNotKept()
    {
        _endpoint.Answer(StaleEndpoint.Request(), succeeded: false);
        _endpoint.Answer(StaleEndpoint.Request(), with: static response => CutResponse.Mark(response.HttpContext));
        _endpoint.Answer(StaleEndpoint.Request(), with: static response => response.HttpContext.RequestAborted = new CancellationToken(canceled: true));

        _endpoint.Memory.Count.ShouldBe(0);
    }

    [Theory]
    [InlineData(1000, true)]
    [InlineData(1001, false)]
    public void Response_UpToTheBound_IsKept(int length, bool isKept)
    {
        _endpoint.Answer(StaleEndpoint.Request(), body: new string('x', length));

        (_endpoint.Memory.Count == 1).ShouldBe(isKept);
    }

    [Fact]
    public void Response_TooLarge_IsNotCopiedAgainUntilDue()
    {
        _endpoint.Answer(StaleEndpoint.Request(), body: new string('x', 1001)).ShouldBeTrue();
        _endpoint.Answer(StaleEndpoint.Request()).ShouldBeFalse();
        _endpoint.Time.Advance(StaleEndpoint.MaxAge / 10);
        _endpoint.Answer(StaleEndpoint.Request()).ShouldBeTrue();
    }

    [Fact]
    public void Response_WhoseBytesAreNotSeen_IsNotKept()
    {
        var (sent, unannounced) = (StaleEndpoint.Request(), StaleEndpoint.Request());
        var recording = _endpoint.Fallback.Record(sent, asked: 0);
        recording.OnStarting(sent);
        recording.OnWrite("half"u8);
        recording.OnUnrecordable();
        recording.OnWrite("rest"u8);
        recording.Complete(succeeded: true);
        var other = _endpoint.Fallback.Record(unannounced, asked: 0);
        other.OnWrite("half"u8);
        other.OnStarting(unannounced);
        other.Complete(succeeded: true);

        _endpoint.Memory.Count.ShouldBe(0);
    }

    [Fact]
    public async Task Recording_AfterItsEnd_TakesNothing()
    {
        var context = StaleEndpoint.Request();
        var recording = _endpoint.Fallback.Record(context, asked: 0);
        recording.OnStarting(context);
        recording.OnWrite("good"u8);
        recording.Complete(succeeded: true);
        recording.OnWrite("late"u8);
        recording.OnUnrecordable();
        recording.Complete(succeeded: true);
        recording.Abandon();

        (await _endpoint.Stale(StaleEndpoint.Request())).ShouldBe("good");
    }

    [Fact]
    public async Task Response_WithoutBody_IsKept()
    {
        var context = StaleEndpoint.Request();
        _endpoint.Fallback.Record(context, asked: 0).Complete(succeeded: true);

        (await _endpoint.Stale(StaleEndpoint.Request())).ShouldBe("");
    }

    private static ClaimsPrincipal User(string type) => new(new ClaimsIdentity(type));

    private sealed class WithBody : IHttpRequestBodyDetectionFeature
    {
        public bool CanHaveBody => true;
    }
}
