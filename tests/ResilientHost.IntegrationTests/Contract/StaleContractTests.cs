using System.Net.Http.Headers;
using System.Security.Claims;
using Microsoft.AspNetCore.OutputCaching;

namespace ResilientHost.IntegrationTests.Contract;

/// <summary>"WithStaleFallback(maxAge) keeps the last good response …" sentence by sentence, and what RFC 9111 has to say of Age and Vary.</summary>
public sealed class StaleContractTests
{
    private static readonly TimeSpan TenMinutes = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private volatile bool _broken;

    [Fact]
    public async Task Kept_IsRefreshedAtMostEveryTenthOfTheAge()
    {
        var time = new ManualTimeProvider();
        var version = 0;
        await using var service = await TestService.StartAsync(app => app.MapGet("/", () => Give($"v{++version}")).WithStaleFallback(TenMinutes), time: time);

        (await Answer.OfAsync(service, "/")).ShouldBe(Answer.Real("v1"));
        time.Advance(59 * Second);
        (await Answer.OfAsync(service, "/")).ShouldBe(Answer.Real("v2"));
        _broken = true;
        (await Answer.OfAsync(service, "/")).ShouldBe(Answer.Stale("v1"));
        _broken = false;
        time.Advance(2 * Second);
        (await Answer.OfAsync(service, "/")).Body.ShouldStartWith("v");
        var last = $"v{version}";
        _broken = true;
        (await Answer.OfAsync(service, "/")).ShouldBe(Answer.Stale(last));
    }

    [Theory, OverBothWires]
    public async Task Age_CountsFromTheRealAnswerAndServingRenewsNothing(Wire wire)
    {
        var time = new ManualTimeProvider();
        await using var service = await TestService.StartAsync(app => app.MapGet("/", () => Give("real")).WithStaleFallback(TenMinutes), time: time);
        (await service.StatusOfAsync("/", wire)).ShouldBe(200);
        _broken = true;

        var before = 0;
        foreach (var age in (int[])[0, 100, 300, 599])
        {
            time.Advance((age - before) * Second);
            before = age;
            using var response = await service.GetAsync("/", wire);
            response.StatusCode.ShouldBe(HttpStatusCode.OK);
            response.Headers.GetValues("Age").ShouldBe([$"{age}"]);
            response.Headers.NonValidated["Date"].Count.ShouldBe(1);
        }

        time.Advance(2 * Second);
        (await service.StatusOfAsync("/", wire)).ShouldBe(500);
    }

    [Fact]
    public async Task Age_WallClockJumps_CountForNothing()
    {
        var time = new ManualTimeProvider();
        await using var service = await TestService.StartAsync(app => app.MapGet("/", () => Give("real")).WithStaleFallback(TenMinutes), time: time);
        (await service.StatusOfAsync("/")).ShouldBe(200);
        _broken = true;
        time.Advance(10 * Second);

        foreach (var days in (int[])[400, -800])
        {
            time.SetUtcNow(time.GetUtcNow().AddDays(days));
            using var response = await service.GetAsync("/");
            response.StatusCode.ShouldBe(HttpStatusCode.OK);
            response.Headers.GetValues("Age").ShouldBe(["10"]);
        }

        time.Advance(TenMinutes);
        (await service.StatusOfAsync("/")).ShouldBe(500);
    }

    [Fact]
    public async Task Kept_AFallbacksAnswer_NeverIs()
    {
        var spareFails = false;
        await using var service = await TestService.StartAsync(app => app.MapGet("/", () => Give("real"))
            .WithFallback(() => spareFails ? throw new InvalidOperationException() : "spare").WithStaleFallback(TenMinutes));
        _broken = true;
        (await Answer.OfAsync(service, "/")).ShouldBe(Answer.Spare());
        spareFails = true;
        (await Answer.OfAsync(service, "/")).ShouldHaveFailed(500);
    }

    [Theory]
    [InlineData("/items/Ab", "/items/aB")]
    [InlineData("/pair/1%7C2/3", "/pair/1/2%7C3")]
    [InlineData("/pair/a/bc", "/pair/ab/c")]
    [InlineData("/query?q=1&q=2", "/query?q=2&q=1")]
    [InlineData("/query?q=1,2", "/query?q=1&q=2")]
    [InlineData("/query?q=a", "/query?q=A")]
    [InlineData("/query?q=", "/query")]
    [InlineData("/query?q=1%26q%3D2", "/query?q=1&q=2")]
    [InlineData("/two?a=1&b=", "/two?a=&b=1")]
    [InlineData("/two?a=1%26b%3D2", "/two?a=1&b=2")]
    public async Task Key_WhatTellsTwoRequestsApart_KeepsTheirAnswersApart(string path, string other)
    {
        await using var service = await TestService.StartAsync(app =>
        {
            app.MapGet("/items/{id}", (string id) => Give(id)).WithStaleFallback(TenMinutes);
            app.MapGet("/pair/{a}/{b}", (string a, string b) => Give($"{a} {b}")).WithStaleFallback(TenMinutes);
            app.MapGet("/query", (string[]? q) => Give($"[{string.Join(']', q ?? ["none"])}]")).WithStaleFallback(TenMinutes);
            app.MapGet("/two", (string? a, string? b) => Give($"{a}/{b}")).WithStaleFallback(TenMinutes);
        });
        var real = await Answer.OfAsync(service, path);
        real.Status.ShouldBe(200);
        _broken = true;

        (await Answer.OfAsync(service, other)).ShouldHaveFailed(500);
        (await Answer.OfAsync(service, path)).ShouldBe(Answer.Stale(real.Body));
    }

    [Theory]
    [InlineData("/query?a=1&b=2", "/query?b=2&a=1")]
    [InlineData("/query?a=1&b=2", "/query?A=1&B=2")]
    [InlineData("/query?a=1&b=2", "/query?a=1&b=2&utm=x")]
    public async Task Key_WhatMakesNoDifferenceToTheHandler_MakesNoneToTheKey(string path, string other)
    {
        await using var service = await TestService.StartAsync(app => app.MapGet("/query", (string? a, int? b) => Give($"{a}/{b}")).WithStaleFallback(TenMinutes));
        (await Answer.OfAsync(service, path)).ShouldBe(Answer.Real("1/2"));
        _broken = true;
        (await Answer.OfAsync(service, other)).ShouldBe(Answer.Stale("1/2"));
    }

    [Fact]
    public async Task Key_Host_TellsTenantsApart()
    {
        await using var service = await TestService.StartAsync(app => app.MapGet("/", (HttpContext context) => Give(context.Request.Host.Value!)).WithStaleFallback(TenMinutes));
        (await AskAsync("one.example")).ShouldBe(Answer.Real("one.example"));
        _broken = true;
        (await AskAsync("two.example")).ShouldHaveFailed(500);
        (await AskAsync("one.example:81")).ShouldHaveFailed(500);
        (await AskAsync("one.example")).ShouldBe(Answer.Stale("one.example"));

        async Task<Answer> AskAsync(string host)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/") { Headers = { Host = host } };
            return await Answer.OfAsync(await service.SendAsync(request));
        }
    }

    [Fact]
    public async Task Key_Method_APostIsNeverAnsweredFromAGet()
    {
        await using var service = await TestService.StartAsync(app => app.MapMethods("/", ["GET", "POST"], () => Give("real")).WithStaleFallback(TenMinutes));
        (await service.StatusOfAsync("/")).ShouldBe(200);
        using (var post = await service.Client().PostAsync("/", null))
        {
            post.StatusCode.ShouldBe(HttpStatusCode.OK);
        }

        _broken = true;
        (await Answer.OfAsync(await service.Client().PostAsync("/", null))).ShouldHaveFailed(500);
    }

    [Theory]
    [InlineData("Accept-Language, X-Tenant")]
    [InlineData("accept-language,x-tenant")]
    [InlineData("Accept-Language|X-Tenant")]
    public async Task Vary_EveryNamedHeaderCounts(string vary)
    {
        await using var service = await TestService.StartAsync(app => app.MapGet("/", (HttpContext context) =>
        {
            context.Response.Headers.Vary = vary.Split('|');
            return Give($"{context.Request.Headers.AcceptLanguage}/{context.Request.Headers["X-Tenant"]}");
        }).WithStaleFallback(TenMinutes));
        (await AskAsync("de", "a")).ShouldBe(Answer.Real("de/a"));
        (await AskAsync("de", "b")).ShouldBe(Answer.Real("de/b"));
        _broken = true;
        (await AskAsync("de", "a")).ShouldBe(Answer.Stale("de/a"));
        (await AskAsync("de", "b")).ShouldBe(Answer.Stale("de/b"));
        (await AskAsync("de", null)).ShouldHaveFailed(500);
        (await AskAsync("en", "a")).ShouldHaveFailed(500);

        async Task<Answer> AskAsync(string language, string? tenant)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/") { Headers = { { "Accept-Language", language } } };
            if (tenant is not null)
            {
                request.Headers.Add("X-Tenant", tenant);
            }

            return await Answer.OfAsync(await service.SendAsync(request));
        }
    }

    [Fact]
    public async Task Vary_OfMiddlewareAround_CountsToo()
    {
        await using var service = await StartAsync(app => app.Use((context, next) =>
        {
            context.Response.Headers.Vary = "X-Tenant";
            return next(context);
        }), app => app.MapGet("/", (HttpContext context) => Give(context.Request.Headers["X-Tenant"].ToString())).WithStaleFallback(TenMinutes));
        (await Answer.OfAsync(await service.SendAsync(Tenant("a")))).ShouldBe(Answer.Real("a"));
        _broken = true;
        (await Answer.OfAsync(await service.SendAsync(Tenant("b")))).ShouldHaveFailed(500);
        (await Answer.OfAsync(await service.SendAsync(Tenant("a")))).ShouldBe(Answer.Stale("a"));

        static HttpRequestMessage Tenant(string tenant) => new(HttpMethod.Get, "/") { Headers = { { "X-Tenant", tenant } } };
    }

    [Fact]
    public async Task Vary_AppearsLater_TheOldAnswerIsNobodyElses()
    {
        var time = new ManualTimeProvider();
        var varies = false;
        await using var service = await TestService.StartAsync(
            app => app.MapGet("/", (HttpContext context) =>
            {
                if (varies)
                {
                    context.Response.Headers.Vary = "Accept-Language";
                }

                return Give($"{(varies ? context.Request.Headers.AcceptLanguage.ToString() : "any")}");
            }).WithStaleFallback(TenMinutes),
            time: time);
        (await AskAsync("de")).ShouldBe(Answer.Real("any"));
        time.Advance(61 * Second);
        varies = true;
        (await AskAsync("fr")).ShouldBe(Answer.Real("fr"));
        _broken = true;
        (await AskAsync("fr")).ShouldBe(Answer.Stale("fr"));
        (await AskAsync("de")).Body.ShouldNotBe("fr");

        async Task<Answer> AskAsync(string language)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/") { Headers = { { "Accept-Language", language } } };
            return await Answer.OfAsync(await service.SendAsync(request));
        }
    }

    [Theory]
    [InlineData("Set-Cookie", "a=b")]
    [InlineData("Cache-Control", "private")]
    [InlineData("Cache-Control", "max-age=5, PRIVATE=\"x\"")]
    [InlineData("Cache-Control", "public, No-Store")]
    [InlineData("Vary", "*")]
    [InlineData("Vary", "Accept, *")]
    [InlineData("Content-Encoding", "identity-ish")]
    public async Task Kept_ExclusionsCountWhoeverSetsThem(string header, string value)
    {
        foreach (var who in (string[])["endpoint", "endpoint late", "outer", "outer late"])
        {
            _broken = false;
            await using var service = await StartAsync(
                app => app.Use((context, next) =>
                {
                    Set(context, "outer");
                    return next(context);
                }),
                app => app.MapGet("/", (HttpContext context) =>
                {
                    Set(context, "endpoint");
                    return Give("real");
                }).WithStaleFallback(TenMinutes));
            if (header == "Content-Encoding" && who != "endpoint")
            {
                // Whoever encodes around the endpoint encodes a stale answer anew.
                continue;
            }

            using (var real = await service.GetAsync("/"))
            {
                real.StatusCode.ShouldBe(HttpStatusCode.OK);
                (real.Headers.NonValidated.Contains(header) || real.Content.Headers.NonValidated.Contains(header)).ShouldBeTrue();
            }

            _broken = true;
            (await service.StatusOfAsync("/")).ShouldBe(500, $"{header}: {value} of {who}");

            void Set(HttpContext context, string by)
            {
                if (who == by)
                {
                    context.Response.Headers.Append(header, value);
                }
                else if (who == $"{by} late")
                {
                    context.Response.OnStarting(() =>
                    {
                        context.Response.Headers.Append(header, value);
                        return Task.CompletedTask;
                    });
                }
            }
        }
    }

    [Theory]
    [InlineData("middleware")]
    [InlineData("endpoint")]
    public async Task User_WhoeverMadeThem_IsNeitherRecordedNorServed(string who)
    {
        await using var service = await StartAsync(
            app => app.Use((context, next) =>
            {
                if (who == "middleware" && context.Request.Headers.ContainsKey("X-User"))
                {
                    SignIn(context);
                }

                return next(context);
            }),
            app => app.MapGet("/{id}", (HttpContext context) =>
            {
                if (who == "endpoint" && context.Request.Headers.ContainsKey("X-User"))
                {
                    SignIn(context);
                }

                return Give(context.User.Identity?.Name ?? "nobody");
            }).WithStaleFallback(TenMinutes));

        (await AskAsync("/1", user: true)).ShouldBe(Answer.Real("ada"));
        (await AskAsync("/2", user: false)).ShouldBe(Answer.Real("nobody"));
        _broken = true;
        (await AskAsync("/1", user: false)).ShouldHaveFailed(500);
        (await AskAsync("/2", user: true)).ShouldHaveFailed(500);
        (await AskAsync("/2", user: false)).ShouldBe(Answer.Stale("nobody"));

        static void SignIn(HttpContext context) => context.User = new ClaimsPrincipal(new ClaimsIdentity([new(ClaimTypes.Name, "ada")], "made"));

        async Task<Answer> AskAsync(string path, bool user)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            if (user)
            {
                request.Headers.Add("X-User", "ada");
            }

            return await Answer.OfAsync(await service.SendAsync(request));
        }
    }

    [Theory]
    [InlineData("Cookie", "a=b")]
    [InlineData("Authorization", "Basic x")]
    public async Task Credentials_OfARequest_GetNoStaleAnswerOfOthers(string header, string value)
    {
        await using var service = await TestService.StartAsync(app => app.MapGet("/", () => Give("real")).WithStaleFallback(TenMinutes));
        (await service.StatusOfAsync("/")).ShouldBe(200);
        _broken = true;
        using var request = new HttpRequestMessage(HttpMethod.Get, "/");
        request.Headers.TryAddWithoutValidation(header, value);
        (await Answer.OfAsync(await service.SendAsync(request))).ShouldHaveFailed(500);
        (await Answer.OfAsync(service, "/")).ShouldBe(Answer.Stale());
    }

    [Theory]
    [InlineData("throws in the middle")]
    [InlineData("shorter than it said")]
    [InlineData("aborts")]
    public async Task Kept_ABrokenAnswer_NeverIs(string how)
    {
        await using var service = await TestService.StartAsync(app => app.MapGet("/", async (HttpContext context) =>
        {
            if (_broken)
            {
                throw new InvalidOperationException();
            }

            if (how == "shorter than it said")
            {
                context.Response.ContentLength = 100;
            }

            await context.Response.WriteAsync("half");
            await context.Response.Body.FlushAsync();
            if (how == "aborts")
            {
                context.Abort();
            }
            else if (how == "throws in the middle")
            {
                throw new InvalidOperationException();
            }
        }).WithStaleFallback(TenMinutes));
        await Should.ThrowAsync<HttpRequestException>(() => service.GetAsync("/"));
        await service.NothingHeldAsync();
        _broken = true;
        (await Answer.OfAsync(service, "/")).ShouldHaveFailed(500);
    }

    [Theory, OverBothWires]
    public async Task Stale_Headers_AreTheEndpointsOnceAndMiddlewaresOfThisRequest(Wire wire)
    {
        var number = 0;
        await using var service = await StartAsync(
            app => app.Use((context, next) =>
            {
                context.Response.Headers["X-Before"] = $"{++number}";
                context.Response.OnStarting(() =>
                {
                    context.Response.Headers["X-Late"] = $"{number}";
                    return Task.CompletedTask;
                });
                return next(context);
            }),
            app => app.MapGet("/", (HttpContext context) =>
            {
                if (!_broken)
                {
                    context.Response.Headers.ETag = "\"1\"";
                    context.Response.Headers.ContentLanguage = "de";
                    context.Response.Headers["X-Own"] = new[] { "a", "b" };
                }
                else
                {
                    context.Response.Headers["X-Failed"] = "yes";
                }

                return Give("real");
            }).WithStaleFallback(TenMinutes));
        (await service.StatusOfAsync("/", wire)).ShouldBe(200);
        _broken = true;

        using var stale = await service.GetAsync("/", wire);

        stale.Headers.GetValues("Resilience-Fallback").ShouldBe(["stale"]);
        stale.Headers.GetValues("X-Before").ShouldBe(["2"]);
        stale.Headers.GetValues("X-Late").ShouldBe(["2"]);
        stale.Headers.GetValues("X-Own").ShouldBe(["a", "b"]);
        stale.Headers.ETag.ShouldBe(EntityTagHeaderValue.Parse("\"1\""));
        stale.Content.Headers.ContentLanguage.ShouldBe(["de"]);
        stale.Headers.Contains("X-Failed").ShouldBeFalse();
    }

    [Fact]
    public async Task Stale_AcrossOrigins_CarriesTheCallersOwnGrant()
    {
        await using var service = await TestService.StartAsync(new TestServiceSetup
        {
            Builder = builder => builder.Services.AddCors(cors => cors.AddDefaultPolicy(policy => policy.WithOrigins("https://a.example", "https://b.example"))),
            Outside = app => app.UseRouting().UseCors(),
            Endpoints = app => app.MapGet("/", () => Give("real")).WithStaleFallback(TenMinutes),
        });
        (await AskAsync("https://a.example")).Grant.ShouldBe("https://a.example");
        (await AskAsync("https://b.example")).Grant.ShouldBe("https://b.example");
        _broken = true;
        (await AskAsync("https://a.example")).ShouldBe((Answer.Stale(), "https://a.example"));
        (await AskAsync("https://c.example")).Grant.ShouldBeNull();

        async Task<(Answer Answer, string? Grant)> AskAsync(string origin)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/") { Headers = { { "Origin", origin } } };
            var response = await service.SendAsync(request);
            var grant = response.Headers.TryGetValues("Access-Control-Allow-Origin", out var values) ? values.Single() : null;
            return (await Answer.OfAsync(response), grant);
        }
    }

    [Fact]
    public async Task Stale_BehindTheOutputCache_NeverEntersIt()
    {
        var version = 0;
        await using var service = await TestService.StartAsync(new TestServiceSetup
        {
            Builder = builder => builder.Services.AddOutputCache(),
            Outside = app => app.UseRouting().UseOutputCache(),
            Endpoints = app => app.MapGet("/", () => Give($"v{++version}")).CacheOutput(policy => policy.Tag("t")).WithStaleFallback(TenMinutes),
        });
        (await Answer.OfAsync(service, "/")).ShouldBe(Answer.Real("v1"));
        await service.Services.GetRequiredService<IOutputCacheStore>().EvictByTagAsync("t", default);
        _broken = true;
        (await Answer.OfAsync(service, "/")).ShouldBe(Answer.Stale("v1"));
        _broken = false;
        (await Answer.OfAsync(service, "/")).Fallback.ShouldBeNull();
    }

    [Fact]
    public async Task Stale_AnswersForATimeoutAndAFullBulkhead()
    {
        var time = new ManualTimeProvider();
        var gate = new Gate();
        await using var service = await TestService.StartAsync(
            app => app.MapGet("/", async (CancellationToken token) =>
            {
                if (_broken)
                {
                    await gate.PassAsync(token);
                }

                return "real";
            }).WithTimeout(2 * Second).WithBulkhead("one").WithStaleFallback(TenMinutes),
            """{ "Bulkheads": { "one": { "MaxConcurrency": 1 } } }""",
            time);
        (await service.StatusOfAsync("/")).ShouldBe(200);
        _broken = true;
        var hanging = Answer.OfAsync(service, "/");
        await gate.ArrivalAsync();
        (await Answer.OfAsync(service, "/")).ShouldBe(Answer.Stale());
        time.Advance(2 * Second);
        (await hanging).ShouldBe(Answer.Stale());
        await service.NothingHeldAsync();
    }

    [Fact]
    public async Task ManyCallersAtOnce_NobodyGetsAnothersAnswer()
    {
        await using var service = await TestService.StartAsync(
            app => app.MapGet("/{id:int}", async (int id) =>
            {
                await Task.Yield();
                return Give($"{id}:{new string((char)('a' + (id % 26)), 5000)}");
            }).WithStaleFallback(TenMinutes),
            """{ "Fallbacks": { "MaxConcurrency": 1000 } }""");
        var real = await Task.WhenAll(Enumerable.Range(0, 300).Select(id => Answer.OfAsync(service, $"/{id}", (Wire)(id % 2))));
        _broken = true;
        var stale = await Task.WhenAll(Enumerable.Range(0, 300).Select(id => Answer.OfAsync(service, $"/{id}", (Wire)(id % 2))));

        for (var id = 0; id < 300; id++)
        {
            real[id].Body.ShouldStartWith($"{id}:");
            stale[id].ShouldBe(Answer.Stale(real[id].Body));
        }
    }

    [Fact]
    public void MaxAge_OutOfBounds_IsRefused()
    {
        var app = WebApplication.CreateSlimBuilder().Build();
        Should.Throw<ArgumentOutOfRangeException>(() => app.MapGet("/a", () => "x").WithStaleFallback(TimeSpan.Zero));
        Should.Throw<ArgumentOutOfRangeException>(() => app.MapGet("/b", () => "x").WithStaleFallback(-TenMinutes));
    }

    private static Task<TestService> StartAsync(Action<WebApplication> outside, Action<WebApplication> endpoints) =>
        TestService.StartAsync(new TestServiceSetup { Outside = outside, Endpoints = endpoints });

    private string Give(string text) => _broken ? throw new InvalidOperationException("broken") : text;
}
