using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.Controllers;
using ResilientHost.IntegrationTests.Operations;

namespace ResilientHost.IntegrationTests.Contract;

/// <summary>The <c>Map…</c> calls together: any order, several paths, groups, path bases, MVC, policies, cookies. Written from the contract alone.</summary>
public sealed class OperationsMappingContractTests
{
    public static TheoryData<string> Orders => new("SDO", "SOD", "DSO", "DOS", "OSD", "ODS");

    private static void Map(IEndpointRouteBuilder endpoints, char what, string path = "/resilience") => _ = what switch
    {
        'S' => endpoints.MapResilienceStatus(path).AllowAnonymous(),
        'D' => endpoints.MapResilienceDashboard(path).RequireAuthorization(),
        'O' => endpoints.MapResilienceOperations(path).RequireAuthorization(OperationsService.Policy),
        'H' => endpoints.MapResilienceHealth(),
        _ => throw new InvalidOperationException(),
    };

    private static TestServiceSetup Setup(Action<WebApplication> endpoints, string environment = "Production", Action<WebApplicationBuilder>? more = null, Action<WebApplication>? outside = null) => new()
    {
        Environment = environment,
        Configuration = OperationsDesk.Circuits,
        Builder = builder =>
        {
            OperationsDesk.Setup().Builder!(builder);
            more?.Invoke(builder);
        },
        Outside = outside,
        Endpoints = app =>
        {
            OperationsDesk.MapTraffic(app);
            endpoints(app);
        },
        MapsStatus = false,
    };

    /// <summary>Status for anyone, the page for users, operations for those on call; every file of the page is there.</summary>
    private static async Task ShouldWorkAsync(TestService service, string path = "/resilience", int stranger = 200)
    {
        foreach (var wire in Enum.GetValues<Wire>())
        {
            (await service.AskAsync(path + "/status", wire: wire)).Status.ShouldBe(stranger);
            (await service.AskAsync(path + "/status", "guest", wire: wire)).Status.ShouldBe(200);
            (await service.AskAsync(path + "/history", wire: wire)).Status.ShouldBe(401);
            (await service.AskAsync(path + "/history", "guest", wire: wire)).Status.ShouldBe(200);
            (await service.AskAsync(path + "/configuration", "guest", wire: wire)).Status.ShouldBe(200);
            (await service.AskAsync(path, wire: wire)).Status.ShouldBe(401);
            foreach (var (user, expected) in new[] { (null, 401), ("guest", 403), ("eve", 200) })
            {
                (await service.PostBytesAsync(path + "/level", """{ "level": "normal" }"""u8.ToArray(), user: user, wire: wire)).Status.ShouldBe(expected);
                (await service.PostBytesAsync(path + "/circuit-breakers/reset", """{ "name": "plain" }"""u8.ToArray(), user: user, wire: wire)).Status.ShouldBe(expected);
            }

            using var stream = await EventStream.OpenAsync(service, "guest", wire, path + "/events");
            await stream.NextAsync("status");
        }

        await PageShouldBeWholeAsync(service, path);
        service.ShouldHaveLoggedNoError();
    }

    private static async Task PageShouldBeWholeAsync(TestService service, string path)
    {
        foreach (var slash in new[] { "", "/" })
        {
            using var request = OperationsService.Request(HttpMethod.Get, path + slash, "guest");
            using var page = await service.SendAsync(request);
            page.StatusCode.ShouldBe(HttpStatusCode.OK, path + slash);
            page.Content.Headers.ContentType?.MediaType.ShouldBe("text/html");
            var references = OperationsDesk.References(page.RequestMessage!.RequestUri!, await page.Content.ReadAsStringAsync()).Where(static uri => uri.Scheme == "http").ToList();
            references.Count.ShouldBeGreaterThanOrEqualTo(2, "a page has a style and a script");
            foreach (var reference in references)
            {
                reference.Authority.ShouldBe(service.Client().BaseAddress!.Authority);
                using var asset = OperationsService.Request(HttpMethod.Get, reference.AbsoluteUri, "guest");
                using var answer = await service.SendAsync(asset);
                answer.StatusCode.ShouldBe(HttpStatusCode.OK, reference.AbsoluteUri);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Orders))]
    public async Task AllThree_InAnyOrder_Work(string order)
    {
        await using var service = await TestService.StartAsync(Setup(app =>
        {
            foreach (var what in order)
            {
                Map(app, what);
            }
        }));
        await ShouldWorkAsync(service);
    }

    [Theory]
    [MemberData(nameof(Orders))]
    public async Task AllThree_InDevelopment_TheExplicitCallsBeatTheDashboards(string order)
    {
        await using var service = await TestService.StartAsync(Setup(
            app =>
            {
                foreach (var what in order)
                {
                    Map(app, what);
                }
            },
            "Development"));
        await ShouldWorkAsync(service);
    }

    [Fact]
    public async Task OnSeveralPaths_EachWorksByItself()
    {
        await using var service = await TestService.StartAsync(Setup(app =>
        {
            foreach (var path in new[] { "/one", "/two/deep", "/DREI" })
            {
                foreach (var what in "DOS")
                {
                    Map(app, what, path);
                }
            }

            app.MapResilienceDashboard("/readonly").RequireAuthorization();
        }));
        await ShouldWorkAsync(service, "/one");
        await ShouldWorkAsync(service, "/two/deep");
        await ShouldWorkAsync(service, "/drei");
        await PageShouldBeWholeAsync(service, "/readonly");
        (await service.PostBytesAsync("/readonly/level", """{ "level": "survival" }"""u8.ToArray())).Status.ShouldBeOneOf(404, 405);
        (await service.PostBytesAsync("/readonly/circuit-breakers/isolate", """{ "name": "plain" }"""u8.ToArray())).Status.ShouldBeOneOf(404, 405);
    }

    [Theory]
    [InlineData("resilience")]
    [InlineData("/resilience/")]
    [InlineData("resilience/")]
    public async Task PathWrittenOtherwise_IsTheSamePath(string path)
    {
        await using var service = await TestService.StartAsync(Setup(app =>
        {
            foreach (var what in "SDO")
            {
                Map(app, what, path);
            }
        }));
        await ShouldWorkAsync(service);
    }

    [Fact]
    public async Task AtTheRoot_DashboardWorks()
    {
        await using var service = await TestService.StartAsync(Setup(static app =>
        {
            Map(app, 'D', "/");
            Map(app, 'O', "/");
        }));
        (await service.AskAsync("/status", "guest")).Status.ShouldBe(200);
        (await service.AskAsync("/plain")).Status.ShouldBe(200);
        (await service.PostBytesAsync("/level", """{ "level": "normal" }"""u8.ToArray())).Status.ShouldBe(200);
        await PageShouldBeWholeAsync(service, "");
    }

    [Theory]
    [MemberData(nameof(Orders))]
    public async Task InAGroupWithAPrefix_Works(string order)
    {
        await using var service = await TestService.StartAsync(Setup(app =>
        {
            var group = app.MapGroup("/internal").MapGroup("/v1");
            foreach (var what in order)
            {
                Map(group, what);
            }
        }));
        await ShouldWorkAsync(service, "/internal/v1/resilience");
        (await service.AskAsync("/resilience/status", "eve")).Status.ShouldBe(404);
    }

    [Fact]
    public async Task InAGroupWithAPolicy_TheGroupsPolicyCounts()
    {
        await using var service = await TestService.StartAsync(Setup(static app =>
        {
            var group = app.MapGroup("/internal").RequireAuthorization(OperationsService.Policy);
            group.MapResilienceDashboard();
            group.MapResilienceOperations();
            group.MapResilienceStatus("/state");
        }));
        foreach (var path in new[] { "/internal/resilience", "/internal/resilience/status", "/internal/resilience/history", "/internal/state/status" })
        {
            (await service.AskAsync(path)).Status.ShouldBe(401, path);
            (await service.AskAsync(path, "guest")).Status.ShouldBe(403, path);
            (await service.AskAsync(path, "eve")).Status.ShouldBe(200, path);
        }

        (await service.PostBytesAsync("/internal/resilience/level", """{ "level": "normal" }"""u8.ToArray(), user: "guest")).Status.ShouldBe(403);
        (await service.PostBytesAsync("/internal/resilience/level", """{ "level": "normal" }"""u8.ToArray())).Status.ShouldBe(200);
    }

    [Fact]
    public async Task UnderAPathBase_PageAndFilesAndOperationsWork()
    {
        await using var service = await TestService.StartAsync(Setup(
            static app =>
            {
                foreach (var what in "SDO")
                {
                    Map(app, what);
                }
            },
            outside: static app =>
            {
                app.UsePathBase("/shop");
                app.UseRouting();
                app.UseAuthentication();
                app.UseAuthorization();
            }));
        await ShouldWorkAsync(service, "/shop/resilience");
        await ShouldWorkAsync(service);
    }

    [Fact]
    public async Task OnAPathWithAParameter_Works()
    {
        await using var service = await TestService.StartAsync(Setup(static app =>
        {
            foreach (var what in "SDO")
            {
                Map(app, what, "/{cell}/resilience");
            }
        }));
        await ShouldWorkAsync(service, "/eu-1/resilience");
    }

    [Fact]
    public async Task OfOneHost_AndStatusOfAnother_EachServesItsOwn()
    {
        await using var service = await TestService.StartAsync(Setup(static app =>
        {
            app.MapResilienceStatus().AllowAnonymous().RequireHost("public.example");
            app.MapResilienceDashboard().RequireAuthorization().RequireHost("ops.example");
            app.MapResilienceOperations().RequireAuthorization(OperationsService.Policy).RequireHost("ops.example");
        }));
        (await AskHostAsync("public.example", "/resilience/status")).ShouldBe(200);
        (await AskHostAsync("ops.example", "/resilience/status")).ShouldBe(401);
        (await AskHostAsync("ops.example", "/resilience/status", "guest")).ShouldBe(200);
        (await AskHostAsync("public.example", "/resilience/history", "eve")).ShouldBe(404);
        (await AskHostAsync("ops.example", "/resilience/history", "eve")).ShouldBe(200);

        async Task<int> AskHostAsync(string host, string path, string? user = null)
        {
            using var request = OperationsService.Request(HttpMethod.Get, path, user);
            request.Headers.Host = host;
            return await service.StatusAsync(request);
        }
    }

    [Fact]
    public async Task OwnEndpointOnTheSamePath_BeatsWhatTheDashboardMapsAlong()
    {
        await using var service = await TestService.StartAsync(Setup(static app =>
        {
            app.MapGet("/resilience/status", static () => "mine");
            app.MapResilienceDashboard().RequireAuthorization();
            app.MapGet("/resilience/configuration", static () => "mine, too");
        }));
        (await service.AskAsync("/resilience/status")).ShouldBe((200, "mine"));
        (await service.AskAsync("/resilience/configuration")).ShouldBe((200, "mine, too"));
        (await service.AskAsync("/resilience/history")).Status.ShouldBe(401);
    }

    [Fact]
    public async Task BesideControllersAndACatchAll_Works()
    {
        await using var service = await TestService.StartAsync(Setup(
            static app =>
            {
                app.MapControllerRoute("default", "{controller=OperationsHome}/{action=Index}/{id?}");
                foreach (var what in "SDOH")
                {
                    Map(app, what);
                }

                app.MapControllers();
                app.MapFallback(static () => "the single page");
            },
            more: static builder => builder.Services.AddControllersWithViews(static mvc => mvc.Filters.Add(new AutoValidateAntiforgeryTokenAttribute())).ConfigureApplicationPartManager(static parts =>
            {
                parts.FeatureProviders.Clear();
                parts.FeatureProviders.Add(new OnlyHome());
            })));
        (await service.AskAsync("/")).ShouldBe((200, "home"));
        (await service.AskAsync("/nowhere/at/all")).ShouldBe((200, "the single page"));
        (await service.AskAsync("/health/ready")).ShouldBe((200, "Healthy"));
        (await service.AskAsync("/health/live")).ShouldBe((200, "Healthy"));
        await ShouldWorkAsync(service);
    }

    [Fact]
    public async Task UnderAFallbackPolicy_HealthStaysOpen_AndNothingElseDoes()
    {
        static void Require(WebApplicationBuilder builder) => builder.Services.AddAuthorization(static options => options.FallbackPolicy = options.DefaultPolicy);
        await using (var service = await TestService.StartAsync(Setup(
            static app =>
            {
                foreach (var what in "DOH")
                {
                    Map(app, what);
                }
            },
            more: Require)))
        {
            (await service.AskAsync("/health/live")).ShouldBe((200, "Healthy"));
            (await service.AskAsync("/health/ready")).ShouldBe((200, "Healthy"));
            (await service.AskAsync("/plain")).Status.ShouldBe(401);
            await ShouldWorkAsync(service, stranger: 401);
        }

        await using var guarded = await TestService.StartAsync(Setup(static app => app.MapResilienceHealth().RequireAuthorization(OperationsService.Policy), more: Require));
        (await guarded.AskAsync("/health/ready")).Status.ShouldBe(401);
        (await guarded.AskAsync("/health/ready", "guest")).Status.ShouldBe(403);
        (await guarded.AskAsync("/health/live", "eve")).Status.ShouldBe(200);
    }

    [Fact]
    public async Task AFallbackPolicyAlone_IsNoOpenDoor()
    {
        var setup = Setup(
            static app =>
            {
                app.MapResilienceDashboard();
                app.MapResilienceOperations();
            },
            more: static builder => builder.Services.AddAuthorization(static options => options.FallbackPolicy = options.DefaultPolicy));
        TestService service;
        try
        {
            service = await TestService.StartAsync(setup);
        }
        catch (Exception refused)
        {
            refused.ToString().ShouldContain("MapResilience");
            return;
        }

        await using (service)
        {
            (await service.AskAsync("/resilience/status")).Status.ShouldBe(401);
            (await service.PostBytesAsync("/resilience/level", """{ "level": "survival" }"""u8.ToArray(), user: null)).Status.ShouldBe(401);
        }
    }

    [Fact]
    public async Task WithCookies_OwnPagesOperate_AndOtherPagesDoNot()
    {
        await using var service = await TestService.StartAsync(new TestServiceSetup
        {
            Configuration = OperationsDesk.Circuits,
            Builder = static builder =>
            {
                builder.Services.AddAuthentication(CookieAuthenticationDefaults.AuthenticationScheme).AddCookie(static cookie => cookie.Cookie.SameSite = SameSiteMode.None);
                builder.Services.AddAuthorization(static options => options.AddPolicy(OperationsService.Policy, static policy => policy.RequireClaim("on-call")));
                builder.Services.AddAntiforgery();
            },
            Outside = static app =>
            {
                app.UseAuthentication();
                app.UseAuthorization();
                app.UseAntiforgery();
            },
            Endpoints = static app =>
            {
                OperationsDesk.MapTraffic(app);
                app.MapGet("/sign-in/{name}", static (string name) => Results.SignIn(new ClaimsPrincipal(new ClaimsIdentity(
                    name == "guest" ? [new Claim(ClaimTypes.Name, name)] : [new Claim(ClaimTypes.Name, name), new Claim("on-call", "yes")], "cookie"))));
                app.MapResilienceDashboard().RequireAuthorization();
                app.MapResilienceOperations().RequireAuthorization(OperationsService.Policy);
            },
            MapsStatus = false,
        });
        var eve = await SignInAsync("eve");
        var guest = await SignInAsync("guest");
        (await service.AskAsync("/resilience/status", headers: ("Cookie", eve))).Status.ShouldBe(200);
        foreach (var (cookie, site, expected) in new[] { (eve, "cross-site", 403), (eve, "same-site", 403), (eve, "same-origin", 200) })
        {
            (await service.PostBytesAsync("/resilience/circuit-breakers/isolate", """{"name":"plain"}"""u8.ToArray(), user: null, headers: [("Cookie", cookie), ("Sec-Fetch-Site", site)])).Status.ShouldBe(expected, site);
        }

        (await service.StatusOfAsync("/plain")).ShouldBe(503);
        (await service.PostBytesAsync("/resilience/circuit-breakers/reset", """{"name":"plain"}"""u8.ToArray(), user: null, headers: [("Cookie", guest), ("Sec-Fetch-Site", "same-origin")])).Status.ShouldNotBe(200);
        (await service.PostBytesAsync("/resilience/circuit-breakers/reset", """{"name":"plain"}"""u8.ToArray(), user: null)).Status.ShouldNotBe(200);
        (await service.StatusOfAsync("/plain")).ShouldBe(503);
        await service.Logs.WaitForAsync(static entry => entry.EventId.Id == 2900 && entry.Message.Contains("eve", StringComparison.Ordinal), TestService.Patience);

        async Task<string> SignInAsync(string name)
        {
            using var response = await service.GetAsync("/sign-in/" + name);
            return response.Headers.GetValues("Set-Cookie").Single().Split(';')[0];
        }
    }

    [Theory]
    [InlineData("Production", "S", "MapResilienceStatus")]
    [InlineData("Production", "D", "MapResilienceDashboard")]
    [InlineData("Production", "O", "MapResilienceOperations")]
    [InlineData("Staging", "S", "MapResilienceStatus")]
    [InlineData("Staging", "D", "MapResilienceDashboard")]
    [InlineData("Staging", "O", "MapResilienceOperations")]
    [InlineData("Production", "SG", "MapResilienceStatus")]
    [InlineData("Production", "DG", "MapResilienceDashboard")]
    public async Task Start_WithoutPolicy_OutsideDevelopment_IsAnErrorThatNamesTheCall(string environment, string what, string call)
    {
        var error = await TestService.FailToStartAsync(Setup(
            app =>
            {
                IEndpointRouteBuilder routes = what.EndsWith('G') ? app.MapGroup("/group") : app;
                _ = what[0] switch
                {
                    'S' => routes.MapResilienceStatus(),
                    'D' => routes.MapResilienceDashboard(),
                    _ => routes.MapResilienceOperations(),
                };
            },
            environment));
        error.ShouldContain(call);
        error.ShouldContain("RequireAuthorization");
    }

    [Theory]
    [InlineData("branch")]
    [InlineData("endpoints")]
    [InlineData("without layers")]
    public async Task Start_WithoutPolicy_HoweverItIsMapped_IsAnError(string how) =>
        (await TestService.FailToStartAsync(new TestServiceSetup
        {
            Builder = OperationsDesk.Setup().Builder,
            UsesLayers = how != "without layers",
            MapsStatus = false,
            Endpoints = app =>
            {
                switch (how)
                {
                    case "branch":
                        app.Map("/branch", static branch =>
                        {
                            branch.UseRouting();
                            branch.UseEndpoints(static endpoints => endpoints.MapResilienceDashboard());
                        });
                        break;
                    case "endpoints":
                        IApplicationBuilder old = app;
                        old.UseRouting();
                        old.UseEndpoints(static endpoints => endpoints.MapResilienceDashboard());
                        break;
                    default:
                        app.MapResilienceDashboard();
                        break;
                }
            },
        })).ShouldContain("MapResilienceDashboard");

    [Fact]
    public async Task InAHostOfTheOldKind_WorksAndIsChecked()
    {
        static IHost Build(bool guarded) => Host.CreateDefaultBuilder(["--hostBuilder:reloadConfigOnChange=false"]).UseEnvironment("Production").ConfigureWebHostDefaults(web => web
            .UseUrls("http://127.0.0.1:0")
            .ConfigureServices(static (context, services) =>
            {
                services.AddResilienceLayers(context.Configuration);
                services.AddAuthentication("none").AddCookie("none");
                services.AddAuthorization();
            })
            .Configure(app =>
            {
                app.UseRouting();
                app.UseAuthentication();
                app.UseAuthorization();
                app.UseResilienceLayers();
                app.UseEndpoints(endpoints =>
                {
                    endpoints.MapResilienceHealth();
                    endpoints.MapResilienceStatus().AllowAnonymous();
                    var operations = endpoints.MapResilienceOperations();
                    if (guarded)
                    {
                        operations.RequireAuthorization();
                    }
                });
            })).Build();
        using (var open = Build(guarded: false))
        {
            (await Should.ThrowAsync<Exception>(() => open.StartAsync(TestContext.Current.CancellationToken))).ToString().ShouldContain("MapResilienceOperations");
        }

        using var host = Build(guarded: true);
        await host.StartAsync(TestContext.Current.CancellationToken);
        var address = host.Services.GetRequiredService<Microsoft.AspNetCore.Hosting.Server.IServer>().Features.Get<Microsoft.AspNetCore.Hosting.Server.Features.IServerAddressesFeature>()!.Addresses.Single();
        using var client = new HttpClient { BaseAddress = new Uri(address) };
        (await client.GetStringAsync("/health/ready", TestContext.Current.CancellationToken)).ShouldBe("Healthy");
        JsonElement.Parse(await client.GetStringAsync("/resilience/status", TestContext.Current.CancellationToken)).GetProperty("level").GetString().ShouldBe("normal");
        await host.StopAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Start_OfOneGuardedAndOneOpen_IsAnError()
    {
        (await TestService.FailToStartAsync(Setup(static app =>
        {
            app.MapResilienceDashboard("/guarded").RequireAuthorization();
            app.MapResilienceDashboard("/forgotten");
        }))).ShouldContain("forgotten");
        (await TestService.FailToStartAsync(Setup(static app =>
        {
            app.MapResilienceDashboard().RequireAuthorization();
            app.MapResilienceStatus();
        }))).ShouldContain("MapResilienceStatus");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Start_OfOperationsThatAnonymousAccessOpens_IsAnErrorAlsoBesideAPolicy(bool byGroup) =>
        (await TestService.FailToStartAsync(Setup(app =>
        {
            if (byGroup)
            {
                app.MapGroup("/group").AllowAnonymous().MapResilienceOperations().RequireAuthorization(OperationsService.Policy);
            }
            else
            {
                app.MapResilienceOperations().RequireAuthorization(OperationsService.Policy).AllowAnonymous();
            }
        }))).ShouldContain("MapResilienceOperations");

    [Theory]
    [InlineData("Development")]
    [InlineData("development")]
    public async Task Start_WithoutPolicy_InDevelopment_IsFine(string environment)
    {
        await using var service = await TestService.StartAsync(Setup(
            static app =>
            {
                app.MapResilienceStatus("/state");
                app.MapResilienceDashboard();
                app.MapResilienceOperations("/operate");
                app.MapResilienceHealth();
            },
            environment));
        foreach (var path in new[] { "/state/status", "/resilience", "/resilience/status", "/resilience/history", "/resilience/openapi.json", "/health/live" })
        {
            (await service.AskAsync(path)).Status.ShouldBe(200, path);
        }

        (await service.PostBytesAsync("/operate/level", """{ "level": "normal" }"""u8.ToArray(), user: null)).Status.ShouldBe(200);
        (await service.PostBytesAsync("/resilience/level", """{ "level": "normal" }"""u8.ToArray(), user: null)).Status.ShouldBe(200);
    }

    [Fact]
    public async Task Dashboard_InDevelopmentWithAPolicy_OperatesUnderThatPolicy()
    {
        await using var service = await TestService.StartAsync(Setup(static app => app.MapResilienceDashboard().RequireAuthorization(OperationsService.Policy), "Development"));
        foreach (var (user, expected) in new[] { (null, 401), ("guest", 403), ("eve", 200) })
        {
            (await service.PostBytesAsync("/resilience/level", """{ "level": "normal" }"""u8.ToArray(), user: user)).Status.ShouldBe(expected);
        }
    }

    [Fact]
    public async Task Dashboard_OutsideDevelopment_OperatesNothing()
    {
        await using var service = await TestService.StartAsync(Setup(static app => app.MapResilienceDashboard().AllowAnonymous()));
        foreach (var path in new[] { "/level", "/circuit-breakers/isolate", "/circuit-breakers/reset", "/circuit-breakers/force-open" })
        {
            (await service.PostBytesAsync("/resilience" + path, """{ "name": "plain" }"""u8.ToArray())).Status.ShouldBeOneOf(404, 405);
        }

        (await service.AskAsync("/resilience")).Status.ShouldBe(200);
    }

    [Fact]
    public async Task OpenApi_DescribesEveryEndpointThatThereIs()
    {
        await using var service = await TestService.StartAsync(OperationsDesk.Setup());
        var (status, body) = await service.AskAsync("/resilience/openapi.json", "eve");
        status.ShouldBe(200);
        var description = JsonElement.Parse(body);
        description.GetProperty("openapi").GetString().ShouldNotBeNull().ShouldStartWith("3.1");
        var paths = description.GetProperty("paths").EnumerateObject().Select(static path => path.Name).ToList();
        foreach (var path in new[] { "status", "history", "events", "configuration", "level", "circuit-breakers/isolate", "circuit-breakers/reset", "circuit-breakers/force-open" })
        {
            paths.ShouldContain(described => described.EndsWith("/" + path, StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task NothingOfOurs_IsACircuitOrShed()
    {
        await using var service = await TestService.StartAsync(OperationsDesk.Setup(more: static app => app.MapResilienceHealth()));
        foreach (var path in new[] { "/resilience", "/resilience/history", "/health/ready", "/health/live" })
        {
            (await service.AskAsync(path, "eve")).Status.ShouldBe(200);
        }

        JsonElement.Parse((await service.AskAsync("/resilience/status")).Body).GetProperty("circuitBreakers").EnumerateArray()
            .ShouldAllBe(static circuit => !circuit.GetProperty("name").GetString()!.Contains("health", StringComparison.Ordinal) && !circuit.GetProperty("name").GetString()!.Contains("resilience", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Page_Headers_AreStrict()
    {
        await using var service = await TestService.StartAsync(OperationsDesk.Setup());
        using var request = OperationsService.Request(HttpMethod.Get, "/resilience", "eve");
        using var page = await service.SendAsync(request);
        var policy = page.Headers.GetValues("Content-Security-Policy").Single();
        policy.ShouldContain("default-src 'none'");
        policy.ShouldContain("frame-ancestors 'none'");
        policy.ShouldNotContain("unsafe-");
        page.Headers.GetValues("X-Content-Type-Options").Single().ShouldBe("nosniff");
        page.Headers.CacheControl?.NoStore.ShouldBeTrue();
        (await page.Content.ReadAsStringAsync()).ShouldNotContain("https://");
    }

    private sealed class OnlyHome : ControllerFeatureProvider
    {
        protected override bool IsController(System.Reflection.TypeInfo typeInfo) => typeInfo.AsType() == typeof(OperationsHomeController);
    }
}

/// <summary>A controller of conventional routes.</summary>
public sealed class OperationsHomeController : Controller
{
    public IActionResult Index() => Content("home");
}
