using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace ResilientHost.Tests.Pipeline;

/// <summary>What degradation does to the connection of a request that it lets in.</summary>
public sealed class DegradedRequestTests : IDisposable
{
    private readonly IHost _host;
    private readonly RequestDelegate _pipeline;
    private readonly IServiceLevel _level;

    public DegradedRequestTests()
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        builder.AddResilienceLayers();
        _host = builder.Build();
        _pipeline = LayersUnderTest.Build(_host.Services);
        _level = _host.Services.GetRequiredService<IServiceLevel>();
    }

    public void Dispose() => _host.Dispose();

    [Theory]
    [InlineData(ServiceLevel.Normal)]
    [InlineData(ServiceLevel.Reduced)]
    [InlineData(ServiceLevel.Essential)]
    public async Task Invoke_OuterMiddlewareEndsTheConnection_BelowSurvivalThatStands(ServiceLevel level)
    {
        _level.Override(level);
        var context = Context();
        context.Response.Headers.Connection = "close";

        await _pipeline(context);

        context.Response.Headers.Connection.ToString().ShouldBe("close");
    }

    [Fact]
    public async Task Invoke_CriticalAtSurvival_KeepsItsConnection()
    {
        _level.Override(ServiceLevel.Survival);
        var context = Context();

        await _pipeline(context);

        context.Response.Headers.Connection.ToString().ShouldBeEmpty();
    }

    [Fact]
    public async Task Invoke_ResponseHasStartedOutside_EndpointIsCalledAllTheSame()
    {
        _level.Override(ServiceLevel.Survival);
        var context = Context();
        context.Features.Set<IHttpResponseFeature>(new StartedResponse());

        await _pipeline(context);

        context.Items["called"].ShouldBe(true);
    }

    private DefaultHttpContext Context()
    {
        var context = new DefaultHttpContext { RequestServices = _host.Services };
        context.Request.Protocol = HttpProtocol.Http11;
        context.SetEndpoint(LayersUnderTest.Endpoint(
            static context =>
            {
                context.Items["called"] = true;
                return Task.CompletedTask;
            },
            "GET /critical",
            new CriticalityAttribute(Criticality.Critical)));
        return context;
    }

    private sealed class StartedResponse : HttpResponseFeature
    {
        public StartedResponse() => Headers = new HeaderDictionary { IsReadOnly = true };

        public override bool HasStarted => true;
    }
}
