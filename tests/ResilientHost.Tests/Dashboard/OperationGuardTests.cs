using System.Net;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using ResilientHost.Dashboard;

namespace ResilientHost.Tests.Dashboard;

public sealed class OperationGuardTests
{
    [Fact]
    public void Endpoint_IsProtectedByWhateverAsksForAPolicy()
    {
        IsUnprotected().ShouldBeTrue();
        IsUnprotected(new AuthorizeAttribute()).ShouldBeFalse();
        IsUnprotected(new Requires()).ShouldBeFalse();
        IsUnprotected(new AuthorizationPolicyBuilder().RequireAuthenticatedUser().Build()).ShouldBeFalse();
        IsUnprotected(new Requires(), new AllowAnonymousAttribute()).ShouldBeTrue();

        static bool IsUnprotected(params object[] metadata) => OperationGuard.IsUnprotected(new Endpoint(null, new EndpointMetadataCollection(metadata), null));
    }

    [Theory]
    [InlineData(null, "https://a.example", "a.example", true)]
    [InlineData(null, "https://a.example", "a.example:443", true)]
    [InlineData(null, "http://a.example", "a.example", true)]
    [InlineData(null, "http://a.example:8080", "a.example:8080", true)]
    [InlineData(null, "http://[::1]:8080", "[::1]:8080", true)]
    [InlineData(null, "https://xn--bcher-kva.example", "xn--bcher-kva.example", true)]
    [InlineData(null, "https://a.example", "b.example", false)]
    [InlineData(null, "https://a.example:8443", "a.example", false)]
    [InlineData(null, "https://a.example/path", "a.example", false)]
    [InlineData(null, "https://user@a.example", "a.example", false)]
    [InlineData(null, "file://a.example", "a.example", false)]
    [InlineData(null, "null", "a.example", false)]
    [InlineData(null, "", "a.example", false)]
    [InlineData(null, "https://a.example", "", false)]
    [InlineData(null, null, "a.example", true)]
    [InlineData("same-origin", "https://b.example", "a.example", true)]
    [InlineData("none", null, "a.example", true)]
    [InlineData("same-site", "https://a.example", "a.example", false)]
    [InlineData("cross-site", null, "a.example", false)]
    [InlineData("Same-Origin", null, "a.example", false)]
    [InlineData("same-origin,same-origin", null, "a.example", false)]
    public void IsOfThisOrigin_ByWhatBrowsersSay(string? site, string? origin, string host, bool expected)
    {
        var request = new DefaultHttpContext().Request;
        request.Host = new HostString(host);
        if (site is not null)
        {
            request.Headers["Sec-Fetch-Site"] = site.Split(',');
        }

        if (origin is not null)
        {
            request.Headers.Origin = origin;
        }

        OperationGuard.IsOfThisOrigin(request).ShouldBe(expected);
    }

    [Theory]
    [InlineData(null, true)]
    [InlineData("127.0.0.1", true)]
    [InlineData("127.8.9.1", true)]
    [InlineData("::1", true)]
    [InlineData("::ffff:127.8.9.1", true)]
    [InlineData("::ffff:192.0.2.1", false)]
    [InlineData("10.0.0.1", false)]
    public void IsLocal_ByTheConnectionsAddress(string? address, bool expected)
    {
        var context = new DefaultHttpContext();
        context.Connection.RemoteIpAddress = address is null ? null : IPAddress.Parse(address);
        OperationGuard.IsLocal(context).ShouldBe(expected);
        context.Request.Headers["X-Forwarded-For"] = "127.0.0.1";
        OperationGuard.IsLocal(context).ShouldBeFalse();
    }

    [AttributeUsage(AttributeTargets.Method)]
    private sealed class Requires : Attribute, IAuthorizationRequirementData
    {
        public IEnumerable<IAuthorizationRequirement> GetRequirements() => [];
    }
}
