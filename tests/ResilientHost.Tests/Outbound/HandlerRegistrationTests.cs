using System.Net;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using ResilientHost.Outbound;
using static ResilientHost.Tests.Outbound.HandlerTransport;

namespace ResilientHost.Tests.Outbound;

public class HandlerRegistrationTests
{
    [Fact]
    public async Task Twice_OnOneClient_IsOnce()
    {
        await using var fixture = new HandlerFixture(
            new(Answering(HttpStatusCode.ServiceUnavailable)), o => o.Retry.Delay = TimeSpan.Zero, client => client.AddResilienceLayers().AddResilienceLayers("PRICING"));

        await fixture.GetAsync();

        fixture.Transport.Attempts.ShouldBe(3);
    }

    [Fact]
    public void Again_UnderAnotherName_IsAnError()
    {
        var client = new ServiceCollection().AddHttpClient("pricing").AddResilienceLayers();

        Should.Throw<InvalidOperationException>(() => client.AddResilienceLayers("prices")).Message.ShouldContain("'pricing'");
    }

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("default")]
    public void Name_ThatCannotBe_IsAnError(string name)
    {
        var client = new ServiceCollection().AddHttpClient("pricing");

        Should.Throw<ArgumentException>(() => client.AddResilienceLayers(name)).ParamName.ShouldBe("name");
    }

    [Fact]
    public void Client_ThatIsCalledAsTheDefaults_NeedsAnotherName()
    {
        var client = new ServiceCollection().AddHttpClient("Default");

        Should.Throw<ArgumentException>(() => client.AddResilienceLayers()).Message.ShouldContain("a client needs another name");
        Should.NotThrow(() => client.AddResilienceLayers("own"));
    }

    [Fact]
    public async Task AttemptsToken_KeptByAHandlerFurtherIn_IsNotUsedAgain()
    {
        var keeping = new KeepingHandler();
        var services = new ServiceCollection();
        services.AddResilienceLayers(new ConfigurationBuilder().Build());
        services.AddHttpClient("pricing").AddResilienceLayers().AddHttpMessageHandler(() => keeping)
            .ConfigurePrimaryHttpMessageHandler(() => new HandlerTransport(Answering(HttpStatusCode.OK)));
        await using var provider = services.BuildServiceProvider();
        var client = provider.GetRequiredService<IHttpClientFactory>().CreateClient("pricing");

        for (var call = 0; call < 5; call++)
        {
            using var response = await client.GetAsync(HandlerFixture.Address);
        }

        keeping.Tokens.Distinct().Count().ShouldBe(5);
    }

    private sealed class KeepingHandler : DelegatingHandler
    {
        public List<CancellationToken> Tokens { get; } = [];

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            Tokens.Add(cancellationToken);
            return base.SendAsync(request, cancellationToken);
        }
    }

    [Fact]
    public async Task Host_WithoutTheSuite_DoesNotStart()
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Services.AddHttpClient("pricing").AddResilienceLayers();
        using var host = builder.Build();

        (await Should.ThrowAsync<InvalidOperationException>(() => host.StartAsync())).Message.ShouldContain("builder.AddResilienceLayers()");
        Should.Throw<InvalidOperationException>(() => host.Services.GetRequiredService<IHttpClientFactory>().CreateClient("pricing")).Message.ShouldContain("builder.AddResilienceLayers()");
    }

    [Fact]
    public async Task Host_ThatHasStarted_KnowsItsClients()
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Services.AddResilienceLayers(builder.Configuration);
        builder.Services.AddHttpClient("pricing").AddResilienceLayers();
        builder.Services.AddHttpClient("ratings").AddResilienceLayers("reviews");
        using var host = builder.Build();
        await host.StartAsync();

        host.Services.GetRequiredService<OutboundClients>().All.Select(client => client.Name).ShouldBe(["pricing", "reviews"]);
        await host.StopAsync();
    }

    [Fact]
    public async Task Defaults_OfAllClients_ReachThemUnderTheirNames()
    {
        var transport = new HandlerTransport(Answering(HttpStatusCode.OK));
        var services = new ServiceCollection();
        services.AddResilienceLayers(new ConfigurationBuilder().Build());
        services.ConfigureHttpClientDefaults(client => client.ConfigurePrimaryHttpMessageHandler(() => transport).AddResilienceLayers(configure: o => o.Retry.MaxAttempts = 7));
        services.AddHttpClient("plain");
        services.AddHttpClient("pricing").AddResilienceLayers("prices");
        await using var provider = services.BuildServiceProvider();
        var factory = provider.GetRequiredService<IHttpClientFactory>();

        foreach (var name in new[] { "plain", "pricing", "" })
        {
            await factory.CreateClient(name).GetAsync(HandlerFixture.Address);
        }

        var clients = provider.GetRequiredService<OutboundClients>();
        clients.All.Select(client => client.Name).ShouldBe(["default", "plain", "prices"]);
        clients.All.ShouldAllBe(client => client.Counts.Attempts == 1 && client.Policy.Retry.MaxAttempts == 7);
    }

    [Fact]
    public void Typed_AndKeyedClients_HaveLayers()
    {
        var services = new ServiceCollection();
        services.AddResilienceLayers(new ConfigurationBuilder().Build());
        services.AddHttpClient<PricingClient>().AddResilienceLayers("pricing");
        services.AddHttpClient("keyed").AddAsKeyed().AddResilienceLayers();
        using var provider = services.BuildServiceProvider();
        using var scope = provider.CreateScope();

        scope.ServiceProvider.GetRequiredService<PricingClient>().Http.Timeout.ShouldBe(Timeout.InfiniteTimeSpan);
        scope.ServiceProvider.GetRequiredKeyedService<HttpClient>("keyed").Timeout.ShouldBe(Timeout.InfiniteTimeSpan);
        provider.GetRequiredService<OutboundClients>().All.Count.ShouldBe(2);
    }

    [Fact]
    public void Timeout_SetAfterTheLayers_IsTakenOverAllTheSame()
    {
        var services = new ServiceCollection();
        services.AddResilienceLayers(new ConfigurationBuilder().Build());
        services.AddHttpClient("pricing").AddResilienceLayers().ConfigureHttpClient(client => client.Timeout = TimeSpan.FromSeconds(7));
        using var provider = services.BuildServiceProvider();

        provider.GetRequiredService<IHttpClientFactory>().CreateClient("pricing").Timeout.ShouldBe(Timeout.InfiniteTimeSpan);
        provider.GetRequiredService<HttpClientTimeouts>().Of("pricing").Value.ShouldBe(TimeSpan.FromSeconds(7));
    }

    [Theory]
    [InlineData(null, 5)]
    [InlineData(9, 9)]
    public void ConnectTimeout_ThatNobodySet_IsBounded(int? own, int expected)
    {
        var transport = new SocketsHttpHandler();
        if (own is { } seconds)
        {
            transport.ConnectTimeout = TimeSpan.FromSeconds(seconds);
        }

        var services = new ServiceCollection();
        services.AddResilienceLayers(new ConfigurationBuilder().Build());
        services.AddHttpClient("pricing").AddResilienceLayers().ConfigurePrimaryHttpMessageHandler(() => transport);
        using var provider = services.BuildServiceProvider();
        provider.GetRequiredService<IHttpClientFactory>().CreateClient("pricing");

        transport.ConnectTimeout.ShouldBe(TimeSpan.FromSeconds(expected));
    }

    [Fact]
    public void ConnectTimeout_OfATransportInsideOtherHandlers_IsBoundedToo()
    {
        var transport = new SocketsHttpHandler();
        var services = new ServiceCollection();
        services.AddResilienceLayers(new ConfigurationBuilder().Build());
        services.AddHttpClient("pricing").AddResilienceLayers().ConfigurePrimaryHttpMessageHandler(() => new Wrapper(new Wrapper(transport)));
        using var provider = services.BuildServiceProvider();
        provider.GetRequiredService<IHttpClientFactory>().CreateClient("pricing");

        transport.ConnectTimeout.ShouldBe(TimeSpan.FromSeconds(5));
    }

    private sealed class Wrapper(HttpMessageHandler inner) : DelegatingHandler(inner);

    private sealed class PricingClient(HttpClient http)
    {
        public HttpClient Http => http;
    }
}
