using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using ResilientHost.Callers;

namespace ResilientHost.Tests.Callers;

public sealed class TrustedCallersTests : IDisposable
{
    private readonly ManualTimeProvider _time = new();
    private readonly LogRecorder _logs = new();
    private readonly TrustedCallerOptions _options = new();
    private readonly ServiceProvider _services;

    public TrustedCallersTests() => _services = new ServiceCollection()
        .AddSingleton<TimeProvider>(_time)
        .AddLogging(logging => logging.AddProvider(_logs))
        .AddSingleton<Func<TrustedCallerPolicy>>(() => new TrustedCallerPolicy(_options))
        .AddCallers()
        .AddCallers()
        .BuildServiceProvider();

    public void Dispose()
    {
        _services.Dispose();
        _time.ArmedTimers.ShouldBe(0);
    }

    [Theory]
    [InlineData("10.0.0.0/8", "10.255.1.2", true)]
    [InlineData("10.0.0.0/8", "11.0.0.1", false)]
    [InlineData("10.0.0.0/8", "::ffff:10.1.2.3", true)]
    [InlineData("::ffff:10.0.0.0/104", "10.1.2.3", true)]
    [InlineData("::ffff:10.0.0.0/104", "11.1.2.3", false)]
    [InlineData("::ffff:10.0.0.1", "10.0.0.1", true)]
    [InlineData("192.168.1.7", "192.168.1.7", true)]
    [InlineData("192.168.1.7", "192.168.1.8", false)]
    [InlineData("fd00::/8", "fd12:3456::1", true)]
    [InlineData("fd00::/8", "fe80::1%3", false)]
    [InlineData("fe80::/10", "fe80::1%3", true)]
    [InlineData("::1", "::1", true)]
    [InlineData("0.0.0.0/0", "8.8.8.8", true)]
    [InlineData("0.0.0.0/0", "2001:db8::1", false)]
    [InlineData("::/0", "8.8.8.8", false)]
    public void IsTrusted_Network_CountsByAddress(string network, string address, bool trusted)
    {
        _options.Networks.Add("203.0.113.0/24");
        _options.Networks.Add(network);

        IsTrusted(address).ShouldBe(trusted);
    }

    [Fact]
    public void IsTrusted_NothingConfigured_IsNobody() => IsTrusted("127.0.0.1").ShouldBeFalse();

    [Fact]
    public void IsTrusted_NoAddress_NeedsTheDelegate()
    {
        _options.Networks.Add("::/0");
        _options.Networks.Add("0.0.0.0/0");
        IsTrusted(null).ShouldBeFalse();

        _options.IsTrusted = context => context.Request.Headers.ContainsKey("X-Client-Certificate");
        IsTrusted(null).ShouldBeFalse();
        IsTrusted(null, context => context.Request.Headers["X-Client-Certificate"] = "gateway").ShouldBeTrue();
    }

    [Fact]
    public void IsTrusted_DelegateThrows_IsNotTrustedAndLoggedWithoutAStorm()
    {
        _options.IsTrusted = _ => throw new InvalidOperationException("secret");

        for (var i = 0; i < 50; i++)
        {
            IsTrusted("10.0.0.1").ShouldBeFalse();
        }

        _time.Advance(TimeSpan.FromSeconds(10));
        _logs.Entries.Select(entry => (entry.EventId.Id, entry.Level, entry.ValueOf("Count"))).ShouldBe([(2100, LogLevel.Error, null), (2101, LogLevel.Error, 49L)]);
        _logs.Entries[0].Message.ShouldContain(nameof(InvalidOperationException));
        _logs.Entries.ShouldAllBe(entry => entry.Exception == null && !entry.Message.Contains("secret", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("10.0.0.0/33")]
    [InlineData("10.0.0.1/8")]
    [InlineData("10.0.0.0/")]
    [InlineData("10.0.0.0/-1")]
    [InlineData("10")]
    [InlineData("10/8")]
    [InlineData("010.0.0.1")]
    [InlineData("010.0.0.0/8")]
    [InlineData("0x0a.0.0.1")]
    [InlineData("localhost")]
    [InlineData("[::1]")]
    [InlineData("fe80::1%3")]
    [InlineData("fd00::/129")]
    [InlineData("")]
    [InlineData(" 10.0.0.1")]
    public void Errors_WhatIsNoNetwork_NamesIt(string text)
    {
        _options.Networks.Add("10.0.0.0/8");
        _options.Networks.Add(text);

        TrustedCallerOptionsValidator.Errors(_options, environment: null).ShouldBe(
            [$"TrustedCallers: Networks['{text}'] must be an address, or a network in CIDR notation whose bits behind the prefix are 0, such as 10.0.0.0/8 or fd00::/8."]);
    }

    [Fact]
    public void Errors_NullAndLongAndControlCharacters_AreOneLineEach()
    {
        _options.Networks.Add(null!);
        _options.Networks.Add(new string('x', 1000));
        _options.Networks.Add("a\nb");

        var errors = TrustedCallerOptionsValidator.Errors(_options, environment: null).ToList();

        errors.Count.ShouldBe(3);
        errors[0].ShouldStartWith("TrustedCallers: Networks[null] must be");
        errors[1].Length.ShouldBeLessThan(300);
        errors[2].ShouldStartWith("TrustedCallers: Networks['a\\u000ab'] must be");
    }

    private bool IsTrusted(string? address, Action<HttpContext>? prepare = null)
    {
        DefaultHttpContext context = new();
        context.Connection.RemoteIpAddress = address is null ? null : IPAddress.Parse(address);
        prepare?.Invoke(context);
        return _services.GetRequiredService<ITrustedCallers>().IsTrusted(context);
    }
}
