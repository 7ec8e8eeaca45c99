using System.Net;
using System.Security.Claims;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ResilientHost.Callers;

namespace ResilientHost.Tests.Callers;

public sealed class CallerKeysTests : IDisposable
{
    private const string Address = "203.0.113.9";

    private readonly ManualTimeProvider _time = new();
    private readonly LogRecorder _logs = new();
    private readonly TrustedCallerOptions _trusted = new();
    private readonly ServiceProvider _services;
    private readonly DefaultHttpContext _context = new();

    public CallerKeysTests()
    {
        _services = new ServiceCollection()
            .AddSingleton<TimeProvider>(_time)
            .AddLogging(logging => logging.AddProvider(_logs))
            .AddSingleton<Func<TrustedCallerPolicy>>(() => new TrustedCallerPolicy(_trusted))
            .AddCallers()
            .BuildServiceProvider();
        _context.Connection.RemoteIpAddress = IPAddress.Parse(Address);
    }

    public void Dispose()
    {
        _services.Dispose();
        _time.ArmedTimers.ShouldBe(0);
    }

    [Theory]
    [InlineData("10.1.2.3", "10.1.2.3")]
    [InlineData("::ffff:10.1.2.3", "10.1.2.3")]
    [InlineData("2001:db8:1:2:aaaa::1", "2001:db8:1:2::/64")]
    [InlineData("2001:db8:1:2:bbbb::2", "2001:db8:1:2::/64")]
    [InlineData("fe80::1%3", "fe80::/64")]
    [InlineData(null, "")]
    public void Of_RemoteAddress_IsTheSubscriber(string? address, string key)
    {
        _context.Connection.RemoteIpAddress = address is null ? null : IPAddress.Parse(address);

        Of("RemoteAddress").ShouldBe(key);
    }

    [Fact]
    public void Of_User_IsTheSubjectElseTheNameElseTheAddress()
    {
        Of("User").ShouldBe(Address);

        SignIn();
        Of("User").ShouldBe(Address);
        SignIn((ClaimTypes.Name, "Ada"));
        Of("User").ShouldBe("Ada");
        SignIn((ClaimTypes.Name, "Ada"), ("sub", "17"));
        Of("User").ShouldBe("17");
        SignIn((ClaimTypes.Name, "Ada"), ("sub", "17"), (ClaimTypes.NameIdentifier, "42"));
        Of("User").ShouldBe("42");
    }

    [Fact]
    public void Of_Claim_IsItsValueElseNobody()
    {
        Of("Claim:tenant").ShouldBe("");
        SignIn(("tenant", "acme"));
        Of("Claim:tenant").ShouldBe("acme");
    }

    [Fact]
    public void Of_HeaderOfUntrustedCaller_IsItsAddressWhateverItWrites()
    {
        _context.Request.Headers["X-Tenant"] = "acme";
        Of("Header:X-Tenant").ShouldBe(Address);

        _trusted.Networks.Add("203.0.113.0/24");
        Of("Header:X-Tenant").ShouldBe("acme");
    }

    [Theory]
    [InlineData]
    [InlineData("acme", "other")]
    public void Of_HeaderOfTrustedCallerMissingOrTwice_IsNobody(params string[] values)
    {
        _trusted.Networks.Add(Address);
        _context.Request.Headers["X-Tenant"] = values;

        Of("Header:X-Tenant").ShouldBe("");
    }

    [Theory]
    [InlineData("198.51.100.1")]
    [InlineData("2001:db8:1:2::/64")]
    [InlineData("\nsha256:00")]
    public void Of_ValueThatPosesAsSomethingElse_IsNobodyElsesKey(string value)
    {
        _trusted.Networks.Add(Address);
        _context.Request.Headers["X-Tenant"] = value;

        var key = Of("Header:X-Tenant");

        key.ShouldNotBe(value);
        key.ShouldEndWith(value);
    }

    [Fact]
    public void Of_RouteValueAndHost_AreThemselves()
    {
        _context.Request.RouteValues["tenant"] = "acme";
        _context.Request.RouteValues["number"] = 17;
        _context.Request.Host = new HostString("Acme.Example", 8080);

        Of("RouteValue:tenant").ShouldBe("acme");
        Of("RouteValue:number").ShouldBe("17");
        Of("RouteValue:missing").ShouldBe("");
        Of("Host").ShouldBe("acme.example");
        _context.Request.Host = default;
        Of("Host").ShouldBe("");
    }

    [Fact]
    public void Of_LongKeys_AreDigestsThatTellThemApart()
    {
        var longest = new string('k', 128);
        Of(_ => longest).ShouldBeSameAs(longest);

        var first = Of(_ => new string('k', 10_240));
        first.Length.ShouldBeLessThanOrEqualTo(128);
        Of(_ => new string('k', 10_240)).ShouldBe(first);
        Of(_ => new string('k', 10_239) + "l").ShouldNotBe(first);
        Of(_ => first).ShouldNotBe(first);
    }

    [Fact]
    public void Of_DelegateGivesNullOrThrows_IsNobodyAndLoggedWithoutTheKey()
    {
        Of(_ => null).ShouldBe("");
        _logs.Entries.ShouldBeEmpty();

        for (var i = 0; i < 30; i++)
        {
            Of(_ => throw new KeyNotFoundException("The given key 'secret' was not present.")).ShouldBe("");
        }

        _time.Advance(TimeSpan.FromSeconds(10));
        _logs.Entries.Select(entry => (entry.EventId.Id, entry.Level, entry.ValueOf("Count"))).ShouldBe([(2102, LogLevel.Error, null), (2103, LogLevel.Error, 29L)]);
        _logs.Entries.ShouldAllBe(entry => entry.Exception == null && !entry.Message.Contains("secret", StringComparison.Ordinal));
    }

    [Fact]
    public void Of_HostileRouteValueOrNoSelection_DoesNotThrow()
    {
        _context.Request.RouteValues["tenant"] = new Hostile();

        Of("RouteValue:tenant").ShouldBe("");
        _services.GetRequiredService<CallerKeys>().Of(_context, new CallerSelector(Key: null, Code: null)).ShouldBe("");
    }

    [Theory]
    [InlineData("User")]
    [InlineData("Claim:tenant")]
    [InlineData("Header:X-Tenant")]
    [InlineData("RouteValue:tenant")]
    [InlineData("RemoteAddress")]
    public void Of_WhatIsThere_AllocatesNextToNothing(string text)
    {
        _trusted.Networks.Add(Address);
        SignIn(("tenant", "acme"), ("sub", "17"));
        _context.Request.RouteValues["tenant"] = "acme";
        _context.Request.Headers["X-Tenant"] = "acme";
        TrustedCallerPolicy policy = new(_trusted);
        using CallerLog log = new(_services.GetRequiredService<ILogger<CallerLog>>(), new(_time));
        CallerKeys keys = new(new TrustedCallers(() => policy, log), log);
        var selector = CallerSelector.From(text, code: null)!;
        keys.Of(_context, selector).ShouldNotBeEmpty();
        var least = AllocatedBytes.LeastOf(() =>
        {
            for (var i = 0; i < 100; i++)
            {
                keys.Of(_context, selector);
            }
        });

        // The framework's iterator over identities and claims is what is left.
        (least / 100).ShouldBeLessThanOrEqualTo(text is "User" or "Claim:tenant" ? 256 : 0);
    }

    private string Of(string text) => _services.GetRequiredService<CallerKeys>().Of(_context, CallerSelector.From(text, code: null).ShouldNotBeNull());

    private string Of(Func<HttpContext, string?> code) => _services.GetRequiredService<CallerKeys>().Of(_context, CallerSelector.From(text: null, code).ShouldNotBeNull());

    private void SignIn(params (string Type, string Value)[] claims) =>
        _context.User = new ClaimsPrincipal(new ClaimsIdentity(claims.Select(claim => new Claim(claim.Type, claim.Value)), "test"));

    private sealed class Hostile
    {
        public override string ToString() => throw new InvalidDataException();
    }
}
