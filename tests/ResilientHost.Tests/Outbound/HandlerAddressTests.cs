using System.Net;
using Microsoft.Extensions.DependencyInjection;
using static ResilientHost.Tests.Outbound.HandlerTransport;

namespace ResilientHost.Tests.Outbound;

public class HandlerAddressTests
{
    [Theory]
    [InlineData("https+http://prices/a", "https+http://prices")]
    [InlineData("http+https://prices/a", "http+https://prices")]
    [InlineData("https+http://_admin.prices/a", "https+http://_admin.prices")]
    [InlineData("https+http://prices:81/a", "https+http://prices:81")]
    [InlineData("https://prices/a", "https://prices:443")]
    public async Task Address_ThatServiceDiscoveryResolvesFurtherIn_IsUnderTheLayers(string address, string authority)
    {
        await using var fixture = Discovering(new(Answering(HttpStatusCode.ServiceUnavailable), Answering(HttpStatusCode.OK)));

        using var response = await fixture.Client.GetAsync(new Uri(address));

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        fixture.Transport.Sent.Select(sent => sent.Uri).ShouldBe([new("https://10.0.0.1:8443/a"), new("https://10.0.0.2:8443/a")], "each attempt asks anew where to go");
        var known = fixture.State.Authorities().ShouldHaveSingleItem();
        known.Authority.ShouldBe(authority);
        (known.CircuitBreaker.Snapshot().Calls, known.CircuitBreaker.Snapshot().Failures, known.Bulkhead.Snapshot().InFlight).ShouldBe((2, 1, 0));
    }

    [Theory]
    [InlineData("https+http://spans-of-discovery.example/a", null)]
    [InlineData("https://spans-of-addresses.example/a", 443)]
    public async Task Span_OfAnAddressWithoutAPort_NamesNone(string address, int? port)
    {
        using var activities = new ActivityRecorder(ResilienceDiagnostics.ActivitySourceName);
        await using var fixture = Discovering(new(Answering(HttpStatusCode.OK)));

        using var response = await fixture.Client.GetAsync(new Uri(address));

        // Other tests have spans of their own.
        var span = activities.Finished.Where(activity => new Uri(address).Host.Equals(activity.GetTagItem(ResilienceDiagnostics.Tags.ServerAddress))).ShouldHaveSingleItem();
        span.GetTagItem(ResilienceDiagnostics.Tags.ServerPort).ShouldBe(port);
    }

    [Theory]
    [InlineData("ftp://prices/a")]
    [InlineData("ws://prices/a")]
    [InlineData("wss://prices/a")]
    [InlineData("http+unix://prices/a")]
    [InlineData("httpx://prices/a")]
    [InlineData("http+://prices/a")]
    public async Task Address_OfAnotherKind_PassesThrough(string address)
    {
        await using var fixture = Discovering(new(Answering(HttpStatusCode.ServiceUnavailable)));

        using var response = await fixture.Client.GetAsync(new Uri(address));

        response.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        fixture.Transport.Attempts.ShouldBe(1);
        fixture.State.Authorities().ShouldBeEmpty();
    }

    private static HandlerFixture Discovering(HandlerTransport transport) => new(
        transport, options => options.Retry.Delay = TimeSpan.Zero, client => client.AddHttpMessageHandler(() => new Discovery()));

    /// <summary>What stands where service discovery does: each request goes to the next instance.</summary>
    private sealed class Discovery : DelegatingHandler
    {
        private int _last;

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            request.RequestUri = new Uri($"https://10.0.0.{++_last}:8443{request.RequestUri!.PathAndQuery}");
            return base.SendAsync(request, cancellationToken);
        }
    }
}
