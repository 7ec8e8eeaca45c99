using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using ResilientHost.Fallbacks;

namespace ResilientHost.Tests.Fallbacks;

public sealed class StaleFallbackTests : IDisposable
{
    private readonly StaleEndpoint _endpoint = new();

    public void Dispose() => _endpoint.Dispose();

    [Fact]
    public async Task Stale_AfterAGoodAnswer_IsThatAnswerWithItsAge()
    {
        _endpoint.Answer(StaleEndpoint.Request(), with: static response =>
        {
            response.ContentType = "text/csv";
            response.Headers.ETag = "\"1\"";
            response.Headers.CacheControl = "public, max-age=60";
        });
        _endpoint.Time.Advance(TimeSpan.FromSeconds(42.9));

        var response = await _endpoint.Serve(StaleEndpoint.Request(), static response => response.Headers.StrictTransportSecurity = "max-age=1");

        response.StatusCode.ShouldBe(200);
        StaleEndpoint.BodyOf(response).ShouldBe("good");
        response.Headers.Select(header => $"{header.Key}: {header.Value}").ShouldBe(
            ["Strict-Transport-Security: max-age=1", "Content-Type: text/csv", "ETag: \"1\"", "Age: 42", "Cache-Control: no-store", "Resilience-Fallback: stale", "Content-Length: 4"], ignoreOrder: true);
    }

    [Fact]
    public async Task Stale_ToHead_HasTheLengthAndNoBody()
    {
        _endpoint.Answer(StaleEndpoint.Request());

        var response = await _endpoint.Serve(StaleEndpoint.Request(method: "HEAD"));

        response.ContentLength.ShouldBe(4);
        StaleEndpoint.BodyOf(response).ShouldBeEmpty();
    }

    [Fact]
    public async Task Stale_WhereTheTimeoutHasFired_IsWrittenWhole()
    {
        _endpoint.Answer(StaleEndpoint.Request());
        var context = StaleEndpoint.Request();
        context.RequestAborted = new CancellationToken(canceled: true);

        StaleEndpoint.BodyOf(await _endpoint.Serve(context)).ShouldBe("good");
    }

    [Theory]
    [InlineData("Date"), InlineData("Server"), InlineData("Connection"), InlineData("Keep-Alive"), InlineData("X-Request-ID"), InlineData("traceparent"), InlineData("Age"), InlineData("Retry-After")]
    [InlineData("Trailer"), InlineData("Transfer-Encoding"), InlineData("Expires"), InlineData("Upgrade"), InlineData("x-hop")]
    public async Task Headers_OfOneMessage_AreNotKept(string name)
    {
        _endpoint.Answer(StaleEndpoint.Request(), with: response =>
        {
            response.Headers[name] = "1";
            response.Headers.Connection = "close, X-Hop";
            response.Headers["X-Kept"] = "1";
        });

        var found = (await _endpoint.Fallback.FindAsync(StaleEndpoint.Request(), CancellationToken.None)).ShouldNotBeNull();

        found.Response.Headers.Select(header => header.Key).ShouldBe(["X-Kept"]);
    }

    [Fact]
    public async Task Headers_OfMiddlewareAround_AreNotKept()
    {
        var context = StaleEndpoint.Request();
        context.Response.Headers["X-Outer"] = "of this request";
        context.Response.Headers["X-Changed"] = "outer";
        _endpoint.Answer(
            context,
            with: static response => response.Headers["X-Changed"] = "inner",
            atStart: static response =>
            {
                response.Headers.AccessControlAllowOrigin = "https://one.example";
                response.Headers.ContentEncoding = "br";
                response.Headers.Vary = "Origin, Accept-Encoding";
            });

        var found = (await _endpoint.Fallback.FindAsync(StaleEndpoint.Request(), CancellationToken.None)).ShouldNotBeNull();

        found.Response.Headers.Select(header => $"{header.Key}={header.Value}").ShouldBe(["X-Changed=inner"]);
    }

    [Fact]
    public async Task Stale_UntilMaxAge_IsServed()
    {
        _endpoint.Answer(StaleEndpoint.Request());
        _endpoint.Time.Advance(StaleEndpoint.MaxAge);
        (await _endpoint.Stale(StaleEndpoint.Request())).ShouldBe("good");
        _endpoint.Time.Advance(TimeSpan.FromTicks(1));
        (await _endpoint.Stale(StaleEndpoint.Request())).ShouldBeNull();
    }

    [Theory]
    [InlineData(-3650)]
    [InlineData(3650)]
    public async Task Stale_WallClockJumps_IsAsOldAsItIs(int days)
    {
        _endpoint.Answer(StaleEndpoint.Request());
        _endpoint.Time.Advance(TimeSpan.FromSeconds(7));
        _endpoint.Time.SetUtcNow(_endpoint.Time.GetUtcNow().AddDays(days));

        (await _endpoint.Fallback.FindAsync(StaleEndpoint.Request(), CancellationToken.None)).ShouldNotBeNull().Age.ShouldBe(TimeSpan.FromSeconds(7));
        _endpoint.Time.Advance(StaleEndpoint.MaxAge);
        (await _endpoint.Stale(StaleEndpoint.Request())).ShouldBeNull();
    }

    [Fact]
    public async Task Answer_WithinATenthOfMaxAge_IsNotRecordedAgain()
    {
        _endpoint.Answer(StaleEndpoint.Request(), "first").ShouldBeTrue();
        _endpoint.Time.Advance((StaleEndpoint.MaxAge / 10) - TimeSpan.FromMilliseconds(1));
        _endpoint.Answer(StaleEndpoint.Request(), "second").ShouldBeFalse();
        _endpoint.Time.Advance(TimeSpan.FromMilliseconds(1));
        _endpoint.Answer(StaleEndpoint.Request(), "third").ShouldBeTrue();

        (await _endpoint.Stale(StaleEndpoint.Request())).ShouldBe("third");
    }

    [Fact]
    public async Task Answer_ThatWasNotGood_IsFollowedByTheNext()
    {
        _endpoint.Answer(StaleEndpoint.Request(), with: static response => response.StatusCode = 500).ShouldBeTrue();
        _endpoint.Answer(StaleEndpoint.Request(), succeeded: false).ShouldBeTrue();
        _endpoint.Answer(StaleEndpoint.Request()).ShouldBeTrue();

        (await _endpoint.Stale(StaleEndpoint.Request())).ShouldBe("good");
    }

    [Fact]
    public async Task Answer_ThatFails_LeavesTheLastGoodOne()
    {
        _endpoint.Answer(StaleEndpoint.Request());
        _endpoint.Time.Advance(StaleEndpoint.MaxAge / 2);
        _endpoint.Answer(StaleEndpoint.Request(), "bad", static response => response.StatusCode = 500);

        (await _endpoint.Stale(StaleEndpoint.Request())).ShouldBe("good");
    }

    [Fact]
    public async Task Vary_EachVariant_HasItsOwnCallers()
    {
        _endpoint.Answer(Speaking("de"), "gut", static response => response.Headers.Vary = "Accept-Language");
        _endpoint.Answer(Speaking("fr"), "bon", static response => response.Headers.Vary = "accept-language").ShouldBeTrue();

        (await _endpoint.Stale(Speaking("de"))).ShouldBe("gut");
        (await _endpoint.Stale(Speaking("fr"))).ShouldBe("bon");
        (await _endpoint.Stale(Speaking("en"))).ShouldBeNull();
        (await _endpoint.Stale(StaleEndpoint.Request())).ShouldBeNull();
    }

    [Fact]
    public async Task Vary_ToldOnce_HoldsForAnswersThatDoNotTell()
    {
        _endpoint.Answer(Speaking("de"), "gut", static response => response.Headers.Vary = "Accept-Language");
        _endpoint.Answer(Speaking("fr"), "bon");

        (await _endpoint.Stale(Speaking("de"))).ShouldBe("gut");
        (await _endpoint.Stale(Speaking("en"))).ShouldBeNull();
    }

    [Fact]
    public async Task Vary_AddedWhileTheResponseStarts_Counts()
    {
        _endpoint.Answer(Speaking("de"), "gut", atStart: static response => response.Headers.Vary = "Accept-Language");

        (await _endpoint.Stale(Speaking("de"))).ShouldBe("gut");
        (await _endpoint.Stale(Speaking("fr"))).ShouldBeNull();
    }

    [Fact]
    public async Task Vary_KeptAndOfMiddleware_AreBothTold()
    {
        _endpoint.Answer(Speaking("de"), "gut", static response => response.Headers.Vary = "Accept-Language");

        var response = await _endpoint.Serve(Speaking("de"), static response => response.Headers.Vary = "Origin");

        response.Headers.Vary.ToString().ShouldBe("Origin, Accept-Language");
    }

    [Fact]
    public async Task Vary_EntryUnderTheWrongKey_IsNotServed()
    {
        var store = new DictionaryStore();
        using var endpoint = new StaleEndpoint(store);
        var key = endpoint.Fallback.KeyOf(Speaking("fr"));
        store.Entries[key] = new(endpoint.Time.GetUtcNow(), [], default, [new("accept-language", default)]);
        store.Entries[StaleRequestKey.WithVary(key, Speaking("fr").Request, ["accept-language"])] = new(endpoint.Time.GetUtcNow(), [], "gut"u8.ToArray(), [new("accept-language", "de")]);

        (await endpoint.Stale(Speaking("fr"))).ShouldBeNull();
    }

    [Fact]
    public async Task Write_HeadersOfAForeignStore_AreFiltered()
    {
        var store = new DictionaryStore();
        using var endpoint = new StaleEndpoint(store);
        store.Entries[endpoint.Fallback.KeyOf(StaleEndpoint.Request())] =
            new(endpoint.Time.GetUtcNow(), [new("Set-Cookie", "session=1"), new("Transfer-Encoding", "chunked"), new("Content-Type", "text/plain")], "good"u8.ToArray(), []);

        var response = await endpoint.Serve(StaleEndpoint.Request());

        response.Headers.Keys.ShouldBe(["Content-Type", "Age", "Cache-Control", "Resilience-Fallback", "Content-Length"], ignoreOrder: true);
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(604_800, 0)]
    [InlineData(0.999, 1)]
    [InlineData(604_800.001, 1)]
    [InlineData(-1, 1)]
    public void Errors_OfMaxAge_NameTheBounds(double seconds, int count)
    {
        var errors = StaleFallback.Errors(Named("products"), new StaleMetadata(TimeSpan.FromSeconds(seconds), null)).ToArray();

        errors.Length.ShouldBe(count);
        errors.ShouldAllBe(error => error.StartsWith("Stale fallback of 'products': MaxAge must be at least 00:00:01 and at most 7.00:00:00 (d.hh:mm:ss), but is ", StringComparison.Ordinal));
    }

    [Fact]
    public void Errors_OfQueryKeys_AreAllTold()
    {
        var keys = Enumerable.Range(0, 31).Select(number => $"k{number}").Concat(["", "page", "Page"]).ToArray();

        StaleFallback.Errors(Named("products"), new StaleMetadata(TimeSpan.FromSeconds(1), keys)).ShouldBe(
        [
            "Stale fallback of 'products': QueryKeys must be at most 32 keys, but are 34.",
            "Stale fallback of 'products': QueryKeys must not contain an empty key.",
            "Stale fallback of 'products': QueryKeys must name each key once (without regard to case), but 'page' stands there 2 times.",
        ]);
    }

    [Theory]
    [InlineData("")]
    [InlineData("?page=1&sort=%C3%A4+b&page=2")]
    public void ShouldRecord_WhenNotDue_AllocatesNothing(string query)
    {
        using var endpoint = new StaleEndpoint(queryKeys: ["page", "sort"]);
        endpoint.Answer(Speaking("de", query), "gut", static response => response.Headers.Vary = "Accept-Language");
        var context = Speaking("de", query);
        context.Request.RouteValues = new RouteValueDictionary { ["id"] = "7", ["kind"] = 3 };
        context.User = new(new System.Security.Claims.ClaimsIdentity());
        AllocatedBytes.LeastOf(() =>
        {
            for (var i = 0; i < 1000; i++)
            {
                endpoint.Fallback.ShouldRecord(context, i, out _);
            }
        }).ShouldBe(0);
    }

    private static Endpoint Named(string name) => new(null, new EndpointMetadataCollection(new EndpointNameMetadata(name)), name);

    private static HttpContext Speaking(string language, string query = "") => StaleEndpoint.Request(query, request => request.Headers.AcceptLanguage = language);

    private sealed record StaleMetadata(TimeSpan MaxAge, IReadOnlyList<string>? QueryKeys) : IStaleFallbackMetadata;
}
