using Microsoft.AspNetCore.ResponseCompression;

namespace ResilientHost.IntegrationTests.Fallbacks;

public sealed class StaleFallbackTests
{
    private static readonly TimeSpan TenMinutes = TimeSpan.FromMinutes(10);

    [Theory, OverBothWires]
    public async Task Stale_EndpointThrows_LastGoodResponseAnswers(Wire wire)
    {
        var time = new ManualTimeProvider();
        var broken = false;
        await using var service = await TestService.StartAsync(
            app => app.MapGet("/items/{id}", (int id, HttpContext context) =>
            {
                context.Response.Headers.ETag = "\"1\"";
                return broken ? throw new InvalidOperationException() : Results.Json(new { id });
            }).WithStaleFallback(TenMinutes),
            time: time);
        (await service.StatusOfAsync("/items/7", wire)).ShouldBe(200);
        broken = true;
        time.Advance(TimeSpan.FromSeconds(90));

        using var response = await service.GetAsync("/items/7", wire);

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await response.Content.ReadAsStringAsync()).ShouldBe("""{"id":7}""");
        response.Content.Headers.ContentType?.MediaType.ShouldBe("application/json");
        DelegateFallbackTests.ShouldBeMarked(response, "stale");
        response.Headers.Age.ShouldBe(TimeSpan.FromSeconds(90));
        (await DelegateFallbackTests.FallbackAsync(service, "GET /items/{id}")).GetProperty("stale").GetInt64().ShouldBe(1);
        (await service.BreakerAsync("GET /items/{id}")).GetProperty("failureRatio").GetDouble().ShouldBe(1);

        // Another item, and one that is too old, have none.
        await (await service.GetAsync("/items/8", wire)).ShouldBeProblemAsync(500, "unhandled_exception");
        time.Advance(TenMinutes);
        await (await service.GetAsync("/items/7", wire)).ShouldBeProblemAsync(500, "unhandled_exception");
        await service.NothingHeldAsync();
    }

    [Fact]
    public async Task Stale_RefusedOr503_LastGoodResponseAnswersAndA503WithoutOneStandsAsItWas()
    {
        var broken = false;
        await using var service = await TestService.StartAsync(
            app => app.MapGet("/{id}", (int id) => broken ? Results.Text("closed", statusCode: 503) : Results.Text("real")).WithStaleFallback(TenMinutes).WithCircuitBreaker("orders"),
            """{ "CircuitBreakers": { "orders": {} } }""");
        (await service.StatusOfAsync("/1")).ShouldBe(200);
        broken = true;

        (await (await service.GetAsync("/1")).Content.ReadAsStringAsync()).ShouldBe("real");
        using var missed = await service.GetAsync("/2");
        ((int)missed.StatusCode).ShouldBe(503);
        (await missed.Content.ReadAsStringAsync()).ShouldBe("closed");
        missed.Headers.Contains("Resilience-Fallback").ShouldBeFalse();

        service.Services.GetRequiredService<CircuitBreakerRegistry>().Get("orders").Isolate();
        (await (await service.GetAsync("/1")).Content.ReadAsStringAsync()).ShouldBe("real");
        (await service.StatusOfAsync("/2")).ShouldBe(503);
    }

    [Fact]
    public async Task Stale_AfterTheDelegate_IsSecond()
    {
        var broken = false;
        var fallbackFails = false;
        await using var service = await TestService.StartAsync(app => app.MapGet("/", () => broken ? throw new InvalidOperationException() : "real")
            .WithFallback(() => fallbackFails ? throw new InvalidOperationException() : "spare")
            .WithStaleFallback(TenMinutes));
        (await service.StatusOfAsync("/")).ShouldBe(200);
        broken = true;
        (await (await service.GetAsync("/")).Content.ReadAsStringAsync()).ShouldBe("spare");
        fallbackFails = true;
        using var response = await service.GetAsync("/");
        (await response.Content.ReadAsStringAsync()).ShouldBe("real");
        DelegateFallbackTests.ShouldBeMarked(response, "stale");
    }

    [Fact]
    public async Task Stale_FreshAnswer_IsPassedOnWithoutAMark()
    {
        await using var service = await TestService.StartAsync(app => app.MapGet("/", () => "real").WithStaleFallback(TenMinutes));
        using var response = await service.GetAsync("/");
        response.Headers.Contains("Resilience-Fallback").ShouldBeFalse();
        response.Headers.Contains("Age").ShouldBeFalse();
    }

    [Theory]
    [InlineData("cookie of the request")]
    [InlineData("authorization of the request")]
    [InlineData("set-cookie")]
    [InlineData("set-cookie when it starts")]
    [InlineData("private")]
    [InlineData("no-store")]
    [InlineData("vary *")]
    [InlineData("content-encoding")]
    [InlineData("too large")]
    [InlineData("201")]
    [InlineData("304")]
    public async Task Stale_WhatMustNotBeKept_IsNot(string what)
    {
        var broken = false;
        await using var service = await TestService.StartAsync(
            app => app.MapGet("/", (HttpContext context) =>
            {
                var headers = context.Response.Headers;
                switch (what)
                {
                    case "set-cookie": context.Response.Cookies.Append("a", "b"); break;
                    case "set-cookie when it starts":
                        context.Response.OnStarting(() =>
                        {
                            context.Response.Cookies.Append("a", "b");
                            return Task.CompletedTask;
                        });
                        break;
                    case "private": headers.CacheControl = "private, max-age=60"; break;
                    case "no-store": headers.CacheControl = "no-store"; break;
                    case "vary *": headers.Vary = "*"; break;
                    case "content-encoding": headers.ContentEncoding = "br"; break;
                }

                return broken ? throw new InvalidOperationException()
                    : what == "304" ? Results.StatusCode(304)
                    : Results.Text(what == "too large" ? new string('x', 2000) : "real", statusCode: what == "201" ? 201 : 200);
            }).WithStaleFallback(TenMinutes),
            """{ "Fallbacks": { "MaxStaleResponseBytes": 1000 } }""");
        (await AskAsync()).ShouldBeLessThan(400);
        broken = true;
        (await AskAsync()).ShouldBe(500);

        async Task<int> AskAsync()
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/");
            if (what == "cookie of the request")
            {
                request.Headers.Add("Cookie", "a=b");
            }
            else if (what == "authorization of the request")
            {
                request.Headers.Add("Authorization", "Bearer x");
            }

            using var response = await service.SendAsync(request);
            return (int)response.StatusCode;
        }
    }

    [Fact]
    public async Task Stale_Head_IsAnsweredFromAGetAndKeepsNothingItself()
    {
        var broken = false;
        await using var service = await TestService.StartAsync(app => app.MapMethods("/{id}", ["GET", "HEAD"], (int id) => broken ? throw new InvalidOperationException() : "real").WithStaleFallback(TenMinutes));
        (await service.StatusOfAsync("/1")).ShouldBe(200);
        using (var head = await service.SendAsync(new HttpRequestMessage(HttpMethod.Head, "/2")))
        {
            head.StatusCode.ShouldBe(HttpStatusCode.OK);
        }

        broken = true;
        using var stale = await service.SendAsync(new HttpRequestMessage(HttpMethod.Head, "/1"));
        stale.StatusCode.ShouldBe(HttpStatusCode.OK);
        stale.Content.Headers.ContentLength.ShouldBe(4);
        DelegateFallbackTests.ShouldBeMarked(stale, "stale");
        (await service.StatusOfAsync("/2")).ShouldBe(500);
    }

    [Fact]
    public async Task Stale_Vary_SeparatesByTheHeader()
    {
        var broken = false;
        await using var service = await TestService.StartAsync(app => app.MapGet("/", (HttpContext context) =>
        {
            context.Response.Headers.Vary = "Accept-Language";
            return broken ? throw new InvalidOperationException() : Results.Text(context.Request.Headers.AcceptLanguage.ToString());
        }).WithStaleFallback(TenMinutes));
        (await AskAsync("de")).ShouldBe((200, "de"));
        (await AskAsync("fr")).ShouldBe((200, "fr"));
        broken = true;
        (await AskAsync("de")).ShouldBe((200, "de"));
        (await AskAsync("fr")).ShouldBe((200, "fr"));
        (await AskAsync("en")).Status.ShouldBe(500);

        async Task<(int Status, string Body)> AskAsync(string language)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/");
            request.Headers.Add("Accept-Language", language);
            using var response = await service.SendAsync(request);
            return ((int)response.StatusCode, await response.Content.ReadAsStringAsync());
        }
    }

    [Fact]
    public async Task Stale_Query_DeclaredKeysCountAndOthersDoNot()
    {
        var broken = false;
        await using var service = await TestService.StartAsync(app =>
        {
            app.MapGet("/bound", (string? q) => broken ? throw new InvalidOperationException() : $"bound {q}").WithStaleFallback(TenMinutes);
            app.MapGet("/declared", (HttpContext context) => broken ? throw new InvalidOperationException() : $"declared {context.Request.Query["q"]}").WithStaleFallback(TenMinutes, "q");
            app.MapGet("/any", (HttpContext context) => broken ? throw new InvalidOperationException() : $"any {context.Request.QueryString}").WithStaleFallback(TenMinutes);
        });
        foreach (var path in (string[])["/bound?q=1&noise=a", "/declared?q=1&noise=a", "/any?q=1&noise=a"])
        {
            (await service.StatusOfAsync(path)).ShouldBe(200);
        }

        broken = true;
        (await (await service.GetAsync("/bound?noise=b&q=1")).Content.ReadAsStringAsync()).ShouldBe("bound 1");
        (await service.StatusOfAsync("/bound?q=2")).ShouldBe(500);
        (await (await service.GetAsync("/declared?noise=b&q=1")).Content.ReadAsStringAsync()).ShouldBe("declared 1");
        (await service.StatusOfAsync("/declared?q=2")).ShouldBe(500);
        (await (await service.GetAsync("/any?noise=a&q=1")).Content.ReadAsStringAsync()).ShouldBe("any ?q=1&noise=a");
        (await service.StatusOfAsync("/any?noise=b&q=1")).ShouldBe(500);
    }

    [Fact]
    public async Task Stale_HandlerChangesWhatWasAskedFor_GivesNobodyElsesResponse()
    {
        var broken = false;
        await using var service = await TestService.StartAsync(app => app.MapGet("/{id}", (string id, HttpContext context) =>
        {
            if (!broken)
            {
                return $"item {id}";
            }

            context.Request.RouteValues["id"] = "1";
            throw new InvalidOperationException();
        }).WithStaleFallback(TenMinutes));
        (await service.StatusOfAsync("/1")).ShouldBe(200);
        (await service.StatusOfAsync("/2")).ShouldBe(200);
        broken = true;

        (await service.StatusOfAsync("/2")).ShouldBe(500);
        (await (await service.GetAsync("/1")).Content.ReadAsStringAsync()).ShouldBe("item 1");
    }

    [Fact]
    public async Task Stale_CompressionAround_IsAppliedAnew()
    {
        var broken = false;
        await using var service = await TestService.StartAsync(new TestServiceSetup
        {
            Builder = builder => builder.Services.AddResponseCompression(options => options.Providers.Add<GzipCompressionProvider>()),
            Outside = app => app.UseResponseCompression(),
            Endpoints = app => app.MapGet("/", () => broken ? throw new InvalidOperationException() : Results.Text(new string('x', 5000))).WithStaleFallback(TenMinutes),
        });
        using (var request = new HttpRequestMessage(HttpMethod.Get, "/"))
        {
            request.Headers.Add("Accept-Encoding", "gzip");
            using var compressed = await service.SendAsync(request);
            compressed.Content.Headers.ContentEncoding.ShouldBe(["gzip"]);
        }

        broken = true;
        using var plain = await service.GetAsync("/");
        (await plain.Content.ReadAsStringAsync()).ShouldBe(new string('x', 5000));
        plain.Content.Headers.ContentEncoding.ShouldBeEmpty();
    }

    [Fact]
    public async Task Stale_StoreThrowsOrHangs_TheFailureIsAnsweredAndNothingHeld()
    {
        var time = new ManualTimeProvider();
        var store = new BadStore();
        await using var service = await TestService.StartAsync(new TestServiceSetup
        {
            Time = time,
            Builder = builder => builder.Services.AddSingleton<IStaleResponseStore>(store),
            Endpoints = app => app.MapGet("/", string (bool? good) => good == true ? "real" : throw new InvalidOperationException()).WithStaleFallback(TenMinutes),
        });
        (await service.StatusOfAsync("/?good=true")).ShouldBe(200);
        await (await service.GetAsync("/")).ShouldBeProblemAsync(500, "unhandled_exception");

        store.Hangs = true;
        var request = service.GetAsync("/");
        await store.Asked.ArrivalAsync();
        await TestService.EventuallyAsync(
            async () =>
            {
                time.Advance(TimeSpan.FromSeconds(2));
                return (await DelegateFallbackTests.FallbackAsync(service, "GET /")).GetProperty("inFlight").GetInt32() == 0;
            },
            "the lookup given up");
        await (await request).ShouldBeProblemAsync(500, "unhandled_exception");
        await service.NothingHeldAsync();
    }

    [Fact]
    public async Task Stale_OutputCacheStore_SharesBetweenInstances()
    {
        var broken = false;
        await using var service = await TestService.StartAsync(new TestServiceSetup
        {
            Builder = builder =>
            {
                builder.Services.AddOutputCache();
                builder.Services.AddOutputCacheStaleResponseStore();
            },
            Endpoints = app => app.MapGet("/", () => broken ? throw new InvalidOperationException() : "real").WithStaleFallback(TenMinutes),
        });
        (await service.StatusOfAsync("/")).ShouldBe(200);
        broken = true;
        await TestService.EventuallyAsync(async () => await service.StatusOfAsync("/") == 200, "the response written to the store");
    }

    [Fact]
    public async Task Stale_WhereItCanNeverHelp_IsSaidAtStart()
    {
        await using var service = await TestService.StartAsync(new TestServiceSetup
        {
            Builder = builder => builder.Services.AddAuthorization(),
            Endpoints = app =>
            {
                app.MapPost("/orders", () => "ok").WithStaleFallback(TenMinutes);
                app.MapGet("/mine", () => "ok").RequireAuthorization().WithStaleFallback(TenMinutes);
                app.MapGet("/all", () => "ok").WithStaleFallback(TenMinutes);
            },
        });

        service.LogsAbout("A stale fallback keeps and gives nothing here").ShouldHaveSingleItem().Message
            .ShouldBe("A stale fallback keeps and gives nothing here: POST /orders (it answers no GET), GET /mine (it needs authorization).");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(604_801)]
    public async Task Stale_AttributeWithABadAge_IsAnErrorAtStart(int seconds)
    {
        var error = await TestService.FailToStartAsync(new TestServiceSetup { Endpoints = app => app.MapGet("/", () => "ok").WithMetadata(new StaleFallbackAttribute(seconds)) });
        error.ShouldContain("Stale fallback of 'GET /': MaxAge must be at least 00:00:01");
    }

    private sealed class BadStore : IStaleResponseStore
    {
        public Gate Asked { get; } = new();

        public bool Hangs { get; set; }

        public async ValueTask<StaleResponse?> GetAsync(string key, CancellationToken cancellationToken)
        {
            if (Hangs)
            {
                await Asked.PassAsync(CancellationToken.None);
            }

            throw new InvalidOperationException("the store is broken");
        }

        public ValueTask SetAsync(string key, StaleResponse response, TimeSpan maxAge, CancellationToken cancellationToken) => throw new InvalidOperationException("the store is broken");
    }
}
